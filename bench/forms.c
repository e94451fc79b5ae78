/*-------------------------------------------------------------------------
 *
 * forms.c
 *	  Micro-benchmark of text output and of the binary forms, without a server.
 *
 * Prints nanoseconds of CPU time per number of vectors of 784, and of what
 * one would write without thinking: the server's own sprintf of "%g" for each
 * number, which does not even read back as the same float, and, for a binary
 * form, memcpy of as many bytes.  The vectors of a round are all different, and more
 * than a cache holds; the best of several rounds is printed.
 *
 * Links the types with test/fuzz/backend.c, which stands for the server.
 *
 * Build: make build/bench/forms
 *
 * IDENTIFICATION
 *	  bench/forms.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <time.h>

#include "backend.h"
#include "kernel/kernel.h"
#include "lib/stringinfo.h"
#include "type/halfvec.h"
#include "type/vector.h"

#define DIM			784
#define NVECTORS	1000
#define ROUNDS		15

extern Datum vector_out(PG_FUNCTION_ARGS);
extern Datum vector_recv(PG_FUNCTION_ARGS);
extern Datum vector_send(PG_FUNCTION_ARGS);
extern Datum halfvec_out(PG_FUNCTION_ARGS);
extern Datum halfvec_recv(PG_FUNCTION_ARGS);
extern Datum halfvec_send(PG_FUNCTION_ARGS);

/* one type: its functions, its values, and their binary forms */
typedef struct Forms
{
	PGFunction	out;
	PGFunction	recv;
	PGFunction	send;
	const void *value[NVECTORS];
	bytea	   *sent[NVECTORS];
} Forms;

static Forms vectors = {
	.out = vector_out, .recv = vector_recv, .send = vector_send
};
static Forms halfvecs = {
	.out = halfvec_out, .recv = halfvec_recv, .send = halfvec_send
};

static Forms *forms;			/* what is being timed */
static float numbers[NVECTORS][DIM];

static uint64 seed = 1;

/* splitmix64, in [0, 1) */
static double
uniform(void)
{
	uint64		z = (seed += UINT64CONST(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64CONST(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64CONST(0x94d049bb133111eb);
	z ^= z >> 31;
	return (double) (z >> 11) / 9007199254740992.0;
}

static double
seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double) now.tv_sec + 1e-9 * (double) now.tv_nsec;
}

static Datum
call(PGFunction function, Datum a, Datum b, Datum c)
{
	Datum		args[] = {a, b, c};
	Datum		result;
	bool		isnull;

	if (!backend_call(function, 3, args, &result, &isnull))
	{
		printf("%s\n", backend_error.message);
		exit(1);
	}
	return result;
}

/* ---- what is timed ---- */

static void
out_ours(int i)
{
	(void) call(forms->out, PointerGetDatum(forms->value[i]), 0, 0);
}

static void
out_sprintf(int i)
{
	char	   *text = palloc(20 * DIM);
	char	   *s = text;

	for (int k = 0; k < DIM; k++)
		s += sprintf(s, "%g,", numbers[i][k]);
}

static void
recv_ours(int i)
{
	StringInfoData buf = {0};

	buf.data = VARDATA(forms->sent[i]);
	buf.len = VARSIZE(forms->sent[i]) - VARHDRSZ;
	(void) call(forms->recv, PointerGetDatum(&buf), 0, Int32GetDatum(-1));
}

static void
send_ours(int i)
{
	(void) call(forms->send, PointerGetDatum(forms->value[i]), 0, 0);
}

static void
copy_bytes(int i)
{
	char	   *copy = palloc(VARSIZE(forms->sent[i]));

	memcpy(copy, forms->sent[i], VARSIZE(forms->sent[i]));

	/* the copy is used: the compiler may not leave it out */
	__asm__ volatile ("" : : "r" (copy) : "memory");
}

/* nanoseconds per number, best round */
static double
measure(void (*run) (int))
{
	double		best = 1e9;

	for (int round = 0; round < ROUNDS; round++)
	{
		double		start = seconds();
		double		ns;

		for (int i = 0; i < NVECTORS; i++)
		{
			run(i);
			backend_reset();
		}
		ns = (seconds() - start) * 1e9 / NVECTORS / DIM;
		best = Min(best, ns);
	}
	return best;
}

static void
compare(const char *name, Forms *type, void (*ours) (int), void (*theirs) (int))
{
	double		a;
	double		b;

	forms = type;
	a = measure(ours);
	b = measure(theirs);
	printf("%-28s %8.2f %8.2f %8.2f\n", name, a, b, b / a);
}

/* ---- values ---- */

static void *
keep(const void *datum)
{
	return memcpy(malloc(VARSIZE(datum)), datum, VARSIZE(datum));
}

static void
prepare(void)
{
	for (int i = 0; i < NVECTORS; i++)
	{
		Vector	   *v = InitVector(DIM);
		HalfVector *h = InitHalfVector(DIM);

		for (int k = 0; k < DIM; k++)
			numbers[i][k] = v->x[k] = (float) (0.2 * (uniform() - 0.5));
		kernels.float_to_half(v->x, DIM, h->x);
		vectors.value[i] = keep(v);
		halfvecs.value[i] = keep(h);
		vectors.sent[i] = keep(DatumGetPointer(call(vector_send,
													PointerGetDatum(v), 0, 0)));
		halfvecs.sent[i] = keep(DatumGetPointer(call(halfvec_send,
													 PointerGetDatum(h), 0, 0)));
		backend_reset();
	}
}

int
main(void)
{
	kernel_choose(NULL);
	prepare();
	printf("%-28s %8s %8s %8s\n", "ns per number", "ours", "theirs", "ratio");
	compare("vector_out, sprintf", &vectors, out_ours, out_sprintf);
	compare("halfvec_out, sprintf", &halfvecs, out_ours, out_sprintf);
	compare("vector_recv, memcpy", &vectors, recv_ours, copy_bytes);
	compare("vector_send, memcpy", &vectors, send_ours, copy_bytes);
	compare("halfvec_recv, memcpy", &halfvecs, recv_ours, copy_bytes);
	compare("halfvec_send, memcpy", &halfvecs, send_ours, copy_bytes);
	return 0;
}
