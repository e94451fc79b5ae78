/*-------------------------------------------------------------------------
 *
 * hnswstore.c
 *	  Buffers, locks and WAL of index pages.
 *
 * Everything that pins, locks, extends or logs a page is here.  Callers name a
 * block and get a page to look at, or an edit bracket to change up to four
 * pages as one record of generic WAL.  What the bytes mean is hnswpage.c's
 * business; which page to change is the caller's.
 *
 * Nothing here cleans up after an ERROR: pins, content locks and heavyweight
 * locks are the resource owner's and lwlock.c's.
 *
 * Rules: README, sections "Locks" and "WAL".
 *
 * IDENTIFICATION
 *	  src/hnsw/hnswstore.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/generic_xlog.h"
#include "access/xloginsert.h"
#include "common/relpath.h"
#include "compat.h"
#include "hnsw/hnsw.h"
#include "hnsw/hnswstore.h"
#include "miscadmin.h"
#include "storage/buf_internals.h"
#include "storage/bufmgr.h"
#include "storage/freespace.h"
#include "storage/indexfsm.h"
#include "storage/lmgr.h"
#include "storage/smgr.h"

StaticAssertDecl(HNSW_EDIT_PAGES <= MAX_GENERIC_XLOG_PAGES,
				 "an edit is one record of generic WAL");

/* heavyweight page locks: the block number is only the name of the lock */
#define UPDATE_LOCK_TAG		((BlockNumber) 0)
#define SCAN_LOCK_TAG		((BlockNumber) 1)

/*
 * Where a block was found last, so that reading it again need not ask the
 * shared buffer table: half the price of a pin when the page is in memory.
 * Only a hint; the buffer's own tag decides.  Chosen: 32768 blocks, 256 MB, are
 * the hot part of most indexes, and 512 KB that are touched as they are used.
 */
#define NRECENT				32768

/*
 * A recent read does not raise the buffer's usage count, so that a page read
 * this way alone would be evicted as if nobody wanted it.  Every 32nd read
 * goes the long way; every eighth cost inserts some 7 % more.
 */
#define RECENT_HITS			32

typedef struct RecentBuffer
{
	uint32		relation;		/* relation number of the file */
	BlockNumber block;
	Buffer		buffer;			/* 0: entry not in use */
	uint32		hits;			/* since the last long read */
} RecentBuffer;

static RecentBuffer recent_buffers[NRECENT];

static RecentBuffer *
recent_entry(Relation index, BlockNumber block)
{
	uint32		relation = compat_relation_number(index);

	/* neighbouring blocks never collide; indexes start at different places */
	return &recent_buffers[(block + relation * 0x9E3779B1u) % NRECENT];
}

static void
remember_buffer(Relation index, BlockNumber block, Buffer buffer)
{
	RecentBuffer *recent = recent_entry(index, block);

	recent->relation = compat_relation_number(index);
	recent->block = block;
	recent->buffer = buffer;
	recent->hits = 0;
}

/*
 * Core forgets the remembered size when another backend truncates the file, so
 * a block below it exists.
 */
bool
hnsw_store_exists(Relation rel, BlockNumber block)
{
	if (rel->rd_smgr != NULL)
	{
		BlockNumber known = rel->rd_smgr->smgr_cached_nblocks[MAIN_FORKNUM];

		if (known != InvalidBlockNumber && block < known)
			return true;
	}
	return block < RelationGetNumberOfBlocks(rel);
}

/* Pin a block that exists.  Local buffers are cheap to find by themselves. */
static Buffer
pin_block(Relation index, BlockNumber block)
{
	RecentBuffer *recent;
	Buffer		buffer;

	if (RelationUsesLocalBuffers(index))
		return ReadBuffer(index, block);

	recent = recent_entry(index, block);
	if (recent->buffer > 0 && recent->block == block &&
		recent->relation == compat_relation_number(index) &&
		++recent->hits < RECENT_HITS &&
		compat_read_recent_buffer(index, block, recent->buffer))
		return recent->buffer;

	buffer = ReadBuffer(index, block);
	remember_buffer(index, block, buffer);
	return buffer;
}

static inline bool
page_is(Page page, int kind)
{
	return kind == 0 ? !PageIsNew(page) : hnsw_page_kind(page) == kind;
}

bool
hnsw_store_open(Relation index, BlockNumber block, int kind, HnswPageRef *ref)
{
	if (!hnsw_store_exists(index, block))
		return false;

	ref->buffer = pin_block(index, block);
	LockBuffer(ref->buffer, BUFFER_LOCK_SHARE);
	ref->page = BufferGetPage(ref->buffer);
	if (page_is(ref->page, kind))
		return true;

	UnlockReleaseBuffer(ref->buffer);
	return false;
}

void
hnsw_store_close(HnswPageRef *ref)
{
	UnlockReleaseBuffer(ref->buffer);
}

bool
hnsw_store_copy(Relation index, BlockNumber block, int kind, char *copy,
				BufferAccessStrategy strategy)
{
	Buffer		buffer;
	bool		ok;

	if (!hnsw_store_exists(index, block))
		return false;

	/* a strategy is for those who read everything: not worth remembering */
	buffer = strategy == NULL ? pin_block(index, block) :
		ReadBufferExtended(index, MAIN_FORKNUM, block, RBM_NORMAL, strategy);
	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	ok = page_is(BufferGetPage(buffer), kind);
	if (ok)
		memcpy(copy, BufferGetPage(buffer), BLCKSZ);
	UnlockReleaseBuffer(buffer);
	return ok;
}

/* of most processors; where lines are longer, some are asked for twice */
#define CACHE_LINE			64

/*
 * What pinning, locking and reading a page will touch: the buffer's header,
 * which is written to, both ends of the page, and the bytes wanted.  Addresses
 * only: whatever the buffer holds by now, nothing is read.
 */
static void
prefetch_memory(Buffer buffer, Size offset, Size bytes)
{
	const char *page = BufferGetBlock(buffer);

	__builtin_prefetch(GetBufferDescriptor(buffer - 1), 1);
	__builtin_prefetch(page);
	__builtin_prefetch(page + BLCKSZ - 1);
	for (Size done = 0; done < bytes; done += CACHE_LINE)
		__builtin_prefetch(page + offset + done);
}

void
hnsw_store_prefetch(Relation index, BlockNumber block, Size offset,
					Size bytes)
{
	RecentBuffer *recent = recent_entry(index, block);
	PrefetchBufferResult result;

	/* read lately, so most likely still in memory: not worth a look-up */
	if (recent->buffer > 0 && recent->block == block &&
		recent->relation == compat_relation_number(index))
	{
		prefetch_memory(recent->buffer, offset, bytes);
		return;
	}
	if (!hnsw_store_exists(index, block))
		return;

	/* if it is in memory, spare the coming read the same look-up */
	result = PrefetchBuffer(index, MAIN_FORKNUM, block);
	if (result.recent_buffer > 0)
		remember_buffer(index, block, result.recent_buffer);
}

BlockNumber
hnsw_store_nblocks(Relation index)
{
	return RelationGetNumberOfBlocks(index);
}

/* ---- edits ---- */

void
hnsw_edit_begin(HnswEdit *edit, Relation index, bool logged)
{
	edit->index = index;
	edit->logged = logged;
	edit->npages = 0;
	/* allocates, so it comes before the first lock */
	edit->xlog = logged ? GenericXLogStart(index) : NULL;
}

static int
add_page(HnswEdit *edit, Buffer buffer)
{
	edit->buffer[edit->npages] = buffer;
	edit->image[edit->npages] = NULL;
	return edit->npages++;
}

int
hnsw_edit_lock(HnswEdit *edit, BlockNumber block, int kind)
{
	Buffer		buffer;

	/* H15: two slots on one page; an LWLock taken twice hangs for ever */
	for (int i = 0; i < edit->npages; i++)
	{
		if (BufferGetBlockNumber(edit->buffer[i]) == block)
			return page_is(hnsw_edit_page(edit, i), kind) ? i : -1;
	}

	if (edit->npages == HNSW_EDIT_PAGES)
		elog(ERROR, "too many pages in one change of index \"%s\"",
			 RelationGetRelationName(edit->index));
	if (!hnsw_store_exists(edit->index, block))
		return -1;

	buffer = pin_block(edit->index, block);
	LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
	if (page_is(BufferGetPage(buffer), kind))
		return add_page(edit, buffer);

	UnlockReleaseBuffer(buffer);
	return -1;
}

Page
hnsw_edit_page(HnswEdit *edit, int i)
{
	Assert(i >= 0 && i < edit->npages);
	return edit->image[i] != NULL ? edit->image[i] :
		BufferGetPage(edit->buffer[i]);
}

static Page
change_page(HnswEdit *edit, int i, int flags)
{
	Assert(i >= 0 && i < edit->npages);
	if (edit->image[i] == NULL)
		edit->image[i] = edit->logged ?
			GenericXLogRegisterBuffer(edit->xlog, edit->buffer[i], flags) :
			BufferGetPage(edit->buffer[i]);
	return edit->image[i];
}

Page
hnsw_edit_change(HnswEdit *edit, int i)
{
	return change_page(edit, i, 0);
}

Page
hnsw_edit_new(HnswEdit *edit, BlockNumber block)
{
	Buffer		buffer;

	Assert(edit->npages < HNSW_EDIT_PAGES);
	hnsw_store_extend(edit->index, block + 1);

	/* whatever the disk holds there, such as remains of a crash, is not read */
	buffer = ReadBufferExtended(edit->index, MAIN_FORKNUM, block,
								RBM_ZERO_AND_LOCK, NULL);

	/* replay must be able to create the block: W1 */
	return change_page(edit, add_page(edit, buffer), GENERIC_XLOG_FULL_IMAGE);
}

static void
release_pages(HnswEdit *edit)
{
	for (int i = edit->npages; i-- > 0;)
		UnlockReleaseBuffer(edit->buffer[i]);
	edit->npages = 0;
}

/* Direct changes are only in memory until somebody says so. */
static void
mark_changed_pages(HnswEdit *edit)
{
	for (int i = 0; i < edit->npages; i++)
	{
		if (edit->image[i] != NULL)
			MarkBufferDirty(edit->buffer[i]);
	}
}

static bool
is_changed(const HnswEdit *edit)
{
	for (int i = 0; i < edit->npages; i++)
	{
		if (edit->image[i] != NULL)
			return true;
	}
	return false;
}

void
hnsw_edit_finish(HnswEdit *edit)
{
	if (!edit->logged)
		mark_changed_pages(edit);
	else if (is_changed(edit))
		GenericXLogFinish(edit->xlog);
	else
		GenericXLogAbort(edit->xlog);	/* no empty records */
	release_pages(edit);
	HNSW_POINT("edit-after-finish");
}

void
hnsw_edit_cancel(HnswEdit *edit)
{
	if (edit->logged)
		GenericXLogAbort(edit->xlog);
	else
		mark_changed_pages(edit);	/* may have been written to */
	release_pages(edit);
}

/* ---- files ---- */

static void
extend_fork(Relation index, ForkNumber fork, BlockNumber nblocks)
{
	BlockNumber now;

	/* those who write page by page have extended before, or do so now */
	if (fork == MAIN_FORKNUM && hnsw_store_exists(index, nblocks - 1))
		return;
	now = RelationGetNumberOfBlocksInFork(index, fork);
	if (now >= nblocks)
		return;

#ifdef HAVE_EXTEND_BUFFERED_REL
	ReleaseBuffer(ExtendBufferedRelTo(BMR_REL(index), fork, NULL, 0, nblocks,
									  RBM_NORMAL));
#else
	LockRelationForExtension(index, ExclusiveLock);
	for (now = RelationGetNumberOfBlocksInFork(index, fork); now < nblocks;
		 now++)
	{
		CHECK_FOR_INTERRUPTS();
		ReleaseBuffer(ReadBufferExtended(index, fork, P_NEW, RBM_NORMAL,
										 NULL));
	}
	UnlockRelationForExtension(index, ExclusiveLock);
#endif
}

void
hnsw_store_extend(Relation index, BlockNumber nblocks)
{
	extend_fork(index, MAIN_FORKNUM, nblocks);
}

void
hnsw_store_write(Relation index, ForkNumber fork, BlockNumber block,
				 const char *page)
{
	Buffer		buffer;

	extend_fork(index, fork, block + 1);
	buffer = ReadBufferExtended(index, fork, block, RBM_ZERO_AND_LOCK, NULL);
	memcpy(BufferGetPage(buffer), page, BLCKSZ);
	MarkBufferDirty(buffer);
	UnlockReleaseBuffer(buffer);
}

void
hnsw_store_log(Relation index, ForkNumber fork, BlockNumber first,
			   BlockNumber end)
{
	/* H28: an init fork is what a crash leaves of an unlogged index */
	if (RelationNeedsWAL(index) || fork == INIT_FORKNUM)
		log_newpage_range(index, fork, first,
						  Min(end, RelationGetNumberOfBlocksInFork(index, fork)),
						  true);
}

/* ---- heavyweight locks ---- */

/*
 * H02: never waited for under a content lock, which would hold off interrupts.
 * Nobody else sees a temporary index.
 */
static void
lock_tag(Relation index, BlockNumber tag, LOCKMODE mode)
{
	Assert(InterruptHoldoffCount == 0);
	if (!RelationUsesLocalBuffers(index))
		LockPage(index, tag, mode);
}

static void
unlock_tag(Relation index, BlockNumber tag, LOCKMODE mode)
{
	if (!RelationUsesLocalBuffers(index))
		UnlockPage(index, tag, mode);
}

void
hnsw_lock_update(Relation index, bool exclusive)
{
	lock_tag(index, UPDATE_LOCK_TAG, exclusive ? ExclusiveLock : ShareLock);
}

void
hnsw_unlock_update(Relation index, bool exclusive)
{
	unlock_tag(index, UPDATE_LOCK_TAG, exclusive ? ExclusiveLock : ShareLock);
}

void
hnsw_lock_scan(Relation index, bool exclusive)
{
	lock_tag(index, SCAN_LOCK_TAG, exclusive ? ExclusiveLock : ShareLock);
}

void
hnsw_unlock_scan(Relation index, bool exclusive)
{
	unlock_tag(index, SCAN_LOCK_TAG, exclusive ? ExclusiveLock : ShareLock);
}

void
hnsw_barrier_update(Relation index)
{
	hnsw_lock_update(index, true);
	hnsw_unlock_update(index, true);
}

void
hnsw_barrier_scan(Relation index)
{
	hnsw_lock_scan(index, true);
	hnsw_unlock_scan(index, true);
}

/* ---- free-space map ---- */

BlockNumber
hnsw_store_get_free(Relation index)
{
	return GetFreeIndexPage(index);
}

void
hnsw_store_record_free(Relation index, BlockNumber block)
{
	RecordFreeIndexPage(index, block);
}

void
hnsw_store_vacuum_free(Relation index)
{
	IndexFreeSpaceMapVacuum(index);
}

void
hnsw_store_publish_free(Relation index, BlockNumber block)
{
	RecordFreeIndexPage(index, block);
	FreeSpaceMapVacuumRange(index, block, block + 1);
}
