/*-------------------------------------------------------------------------
 *
 * listtext.h
 *	  Text form of the dense types: "[1,2,3]".
 *
 * IDENTIFICATION
 *	  src/type/listtext.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef LISTTEXT_H
#define LISTTEXT_H

/*
 * list_text_read -- "[1,2,3]", blanks around every token.
 *
 * type: SQL name of the type, for messages.  limit: numbers of at least this
 * absolute value are out of range, besides those beyond float32; INFINITY if
 * there are no others.  x: room for 'max_dim' floats.
 * Errors: of the first thing in the text that is wrong.
 * Returns the number of elements, which is in 1 .. max_dim.
 */
extern int	list_text_read(const char *type, const char *text, float limit,
						   float *x, int max_dim);

/*
 * list_text_write -- the shortest decimals that read back as the same floats.
 *
 * Memory: palloc'd in the current context.
 */
extern char *list_text_write(const float *x, int dim);

#endif							/* LISTTEXT_H */
