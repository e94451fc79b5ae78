/*-------------------------------------------------------------------------
 *
 * hnswstore.h
 *	  Buffers, locks and WAL of index pages.
 *
 * Everything that pins, locks, extends or logs is in hnswstore.c; the rules
 * are in README, "Locks" and "WAL".  Which bytes to change is the caller's
 * business.
 *
 * IDENTIFICATION
 *	  src/hnsw/hnswstore.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef HNSWSTORE_H
#define HNSWSTORE_H

#include "hnsw/hnswpage.h"
#include "storage/buf.h"
#include "utils/rel.h"

/* May this block, of an index or a table, be read without an error? */
extern bool hnsw_store_exists(Relation rel, BlockNumber block);

/* a pinned page with a share lock */
typedef struct HnswPageRef
{
	Buffer		buffer;
	Page		page;
} HnswPageRef;

/*
 * hnsw_store_open -- pin a block and take its share lock.
 *
 * kind: what the page must be, or 0 for whatever it is.  Returns false, with
 * nothing held, if the block does not exist, is new or is of another kind.
 * Locks: the caller runs nothing that can allocate, wait or raise until
 * hnsw_store_close (L1).
 */
extern bool hnsw_store_open(Relation index, BlockNumber block, int kind,
							HnswPageRef *ref);
extern void hnsw_store_close(HnswPageRef *ref);

/* Copy a whole page (BLCKSZ) under a share lock.  Same result as open. */
extern bool hnsw_store_copy(Relation index, BlockNumber block, int kind,
							char *copy, BufferAccessStrategy strategy);

/*
 * hnsw_store_prefetch -- ask for a block that will probably be read; if it was
 * read lately, for 'bytes' of its page, from 'offset' on, to come into the
 * cache of the processor.
 */
extern void hnsw_store_prefetch(Relation index, BlockNumber block,
								Size offset, Size bytes);

/* blocks of the main fork */
extern BlockNumber hnsw_store_nblocks(Relation index);

/*
 * An edit: up to four pages changed as one WAL record.
 *
 *	begin -> lock (each page, in the order of L2) -> look -> change (those to be
 *	changed) -> write into the images -> finish, or cancel at any time.
 *
 * 'logged' false: pages are changed directly, for a build whose WAL is
 * written at its end.  Lock may wait for other page locks only.  Between the first lock and
 * finish or cancel nothing may raise, allocate or wait, but for these functions.
 */
#define HNSW_EDIT_PAGES		4

typedef struct HnswEdit
{
	Relation	index;
	bool		logged;
	struct GenericXLogState *xlog;	/* NULL if not logged */
	int			npages;
	Buffer		buffer[HNSW_EDIT_PAGES];
	Page		image[HNSW_EDIT_PAGES]; /* NULL until changed */
} HnswEdit;

extern void hnsw_edit_begin(HnswEdit *edit, Relation index, bool logged);

/*
 * hnsw_edit_lock -- pin and lock a block exclusively.
 * Returns its number in the edit, or -1 with nothing new held if the block is
 * not of that kind.  A block locked before in this edit gives the same number (H15).
 */
extern int	hnsw_edit_lock(HnswEdit *edit, BlockNumber block, int kind);

/* The page as it stands, to look at. */
extern Page hnsw_edit_page(HnswEdit *edit, int i);

/* The image to write into. */
extern Page hnsw_edit_change(HnswEdit *edit, int i);

extern void hnsw_edit_finish(HnswEdit *edit);
extern void hnsw_edit_cancel(HnswEdit *edit);

/*
 * hnsw_edit_new -- a page that must be written as a whole: exists in the file
 * (it is extended as needed) and is new or of any content.  As lock + change
 * with a full image; the caller initialises the returned page.
 */
extern Page hnsw_edit_new(HnswEdit *edit, BlockNumber block);

/* Extend the main fork so that it has at least 'nblocks'. */
extern void hnsw_store_extend(Relation index, BlockNumber nblocks);

/*
 * Building: pages are written first, and logged when they will not change any
 * more.  hnsw_store_write appends or overwrites block 'block' with 'page' through
 * the buffer cache of 'fork'; hnsw_store_log writes the blocks from 'first' to before
 * 'end', or to the end of the fork, to the WAL if the relation needs it (always
 * for INIT_FORKNUM).  Parallel workers may do both.
 */
extern void hnsw_store_write(Relation index, ForkNumber fork,
							 BlockNumber block, const char *page);
extern void hnsw_store_log(Relation index, ForkNumber fork, BlockNumber first,
						   BlockNumber end);

/*
 * The update lock U and the scan lock S (README, "Locks").  Heavyweight, taken
 * and released inside one call of the access method, never under a page lock.
 */
extern void hnsw_lock_update(Relation index, bool exclusive);
extern void hnsw_unlock_update(Relation index, bool exclusive);
extern void hnsw_lock_scan(Relation index, bool exclusive);
extern void hnsw_unlock_scan(Relation index, bool exclusive);

/* wait until all holders of U (of S) are gone */
extern void hnsw_barrier_update(Relation index);
extern void hnsw_barrier_scan(Relation index);

/* the free-space map: a hint which NODE blocks hold FREE slots */
extern BlockNumber hnsw_store_get_free(Relation index);
extern void hnsw_store_record_free(Relation index, BlockNumber block);
extern void hnsw_store_vacuum_free(Relation index);

/*
 * hnsw_store_publish_free -- record a page so that the next search for one
 * finds it; what record_free notes is found after vacuum_free only.
 */
extern void hnsw_store_publish_free(Relation index, BlockNumber block);

#endif							/* HNSWSTORE_H */
