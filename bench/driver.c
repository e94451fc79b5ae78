/*
 * driver.c -- time and recall of nearest-neighbour queries through libpq.
 *
 *	driver CONNINFO key=value ...
 *
 *	base=FILE query=FILE	float32 rows, little-endian, no header
 *	truth=FILE				int32 nq, int32 k, then int32 ids, nearest first
 *	dim=N nq=N k=N			dimensions, queries used, rows asked for
 *	metric=l2|cosine|ip		for the truth's distances
 *	sql=STATEMENT			$1 is the query vector; first column: the row's id
 *	format=text|binary		of the parameter
 *	set=NAME=V1,V2,...		one line of output for each value of a setting
 *	runs=N					the median over N runs is printed, with min and max
 *	lookup=STATEMENT		if given, also timed: $1 is the same parameter, $2 an id
 *
 * A row counts as found if its distance is not above that of the k-th true
 * one, so ties cost nothing.  Each line: value, recall, median/min/max
 * microseconds a query, mean of the slowest run's p99, and lookup's median.
 *
 * Prepared statements, one connection, one query at a time.
 */
#include <libpq-fe.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <arpa/inet.h>

#define MAX_RUNS 101

static const char *opt_base, *opt_query, *opt_truth, *opt_sql, *opt_set;
static const char *opt_metric = "l2", *opt_format = "text", *opt_lookup;
static int	opt_dim, opt_nq = 1000, opt_k = 10, opt_runs = 5;

static float *base, *queries;
static size_t nbase;
static int32_t *truth;
static int	truth_nq, truth_k;
static char **text_param;
static char **binary_param;
static int	binary_len;

static void
die(const char *what, const char *why)
{
	fprintf(stderr, "driver: %s: %s\n", what, why);
	exit(1);
}

static double
now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static void *
read_file(const char *path, size_t *bytes)
{
	FILE	   *f = fopen(path, "rb");
	void	   *data;

	if (f == NULL)
		die(path, "cannot open");
	fseek(f, 0, SEEK_END);
	*bytes = ftell(f);
	rewind(f);
	data = malloc(*bytes);
	if (data == NULL || fread(data, 1, *bytes, f) != *bytes)
		die(path, "cannot read");
	fclose(f);
	return data;
}

static void
parse_options(int argc, char **argv)
{
	for (int i = 2; i < argc; i++)
	{
		char	   *eq = strchr(argv[i], '=');
		const char *value;

		if (eq == NULL)
			die(argv[i], "not key=value");
		*eq = '\0';
		value = eq + 1;
		if (strcmp(argv[i], "base") == 0) opt_base = value;
		else if (strcmp(argv[i], "query") == 0) opt_query = value;
		else if (strcmp(argv[i], "truth") == 0) opt_truth = value;
		else if (strcmp(argv[i], "sql") == 0) opt_sql = value;
		else if (strcmp(argv[i], "set") == 0) opt_set = value;
		else if (strcmp(argv[i], "metric") == 0) opt_metric = value;
		else if (strcmp(argv[i], "format") == 0) opt_format = value;
		else if (strcmp(argv[i], "lookup") == 0) opt_lookup = value;
		else if (strcmp(argv[i], "dim") == 0) opt_dim = atoi(value);
		else if (strcmp(argv[i], "nq") == 0) opt_nq = atoi(value);
		else if (strcmp(argv[i], "k") == 0) opt_k = atoi(value);
		else if (strcmp(argv[i], "runs") == 0) opt_runs = atoi(value);
		else die(argv[i], "unknown option");
	}
	if (!opt_base || !opt_query || !opt_truth || !opt_sql || opt_dim <= 0)
		die("usage", "base, query, truth, dim and sql are needed");
	if (opt_runs < 1 || opt_runs > MAX_RUNS)
		die("runs", "out of range");
}

static double
distance(const float *a, const float *b)
{
	double		dot = 0, na = 0, nb = 0, l2 = 0;

	for (int i = 0; i < opt_dim; i++)
	{
		double		d = (double) a[i] - b[i];

		l2 += d * d;
		dot += (double) a[i] * b[i];
		na += (double) a[i] * a[i];
		nb += (double) b[i] * b[i];
	}
	if (strcmp(opt_metric, "cosine") == 0)
		return 1 - dot / sqrt(na * nb);
	return strcmp(opt_metric, "ip") == 0 ? -dot : sqrt(l2);
}

static void
load(void)
{
	size_t		bytes;
	int32_t    *head;

	base = read_file(opt_base, &bytes);
	nbase = bytes / sizeof(float) / opt_dim;
	queries = read_file(opt_query, &bytes);
	if (bytes / sizeof(float) / opt_dim < (size_t) opt_nq)
		opt_nq = bytes / sizeof(float) / opt_dim;
	head = read_file(opt_truth, &bytes);
	truth_nq = head[0];
	truth_k = head[1];
	truth = head + 2;
	if (opt_nq > truth_nq)
		opt_nq = truth_nq;
	if (opt_k > truth_k)
		die("k", "larger than the truth's");
}

static void
make_params(void)
{
	text_param = malloc(sizeof(char *) * opt_nq);
	binary_param = malloc(sizeof(char *) * opt_nq);
	binary_len = 4 + 4 * opt_dim;
	for (int q = 0; q < opt_nq; q++)
	{
		char	   *p = malloc((size_t) opt_dim * 16 + 3);
		uint16_t	head[2] = {htons(opt_dim), 0};

		text_param[q] = p;
		*p++ = '[';
		for (int i = 0; i < opt_dim; i++)
			p += sprintf(p, "%s%.7g", i ? "," : "", queries[(size_t) q * opt_dim + i]);
		strcpy(p, "]");

		binary_param[q] = malloc(binary_len);
		memcpy(binary_param[q], head, 4);
		for (int i = 0; i < opt_dim; i++)
		{
			uint32_t	bits;

			memcpy(&bits, &queries[(size_t) q * opt_dim + i], 4);
			bits = htonl(bits);
			memcpy(binary_param[q] + 4 + 4 * i, &bits, 4);
		}
	}
}

static PGresult *
run(PGconn *conn, const char *name, int q, const char *second)
{
	int			binary = strcmp(opt_format, "binary") == 0;
	const char *values[2] = {binary ? binary_param[q] : text_param[q], second};
	int			lengths[2] = {binary_len, 0};
	int			formats[2] = {binary, 0};
	PGresult   *res = PQexecPrepared(conn, name, second ? 2 : 1, values,
									 lengths, formats, 0);

	if (PQresultStatus(res) != PGRES_TUPLES_OK)
		die(name, PQerrorMessage(conn));
	return res;
}

static int
hits(PGresult *res, int q)
{
	const float *query = queries + (size_t) q * opt_dim;
	const int32_t *ids = truth + (size_t) q * truth_k;
	double		limit = distance(query, base + (size_t) ids[opt_k - 1] * opt_dim);
	int			n = 0;

	for (int i = 0; i < PQntuples(res) && i < opt_k; i++)
	{
		size_t		id = strtoul(PQgetvalue(res, i, 0), NULL, 10);

		if (id < nbase &&
			distance(query, base + id * opt_dim) <= limit + 1e-6 * fabs(limit) + 1e-7)
			n++;
	}
	return n;
}

static int
compare_doubles(const void *a, const void *b)
{
	double		x = *(const double *) a, y = *(const double *) b;

	return x < y ? -1 : x > y;
}

/* one pass over all queries: mean microseconds; fills *recall, *rows, *p99 */
static double
pass(PGconn *conn, double *recall, double *rows, double *p99)
{
	double	   *times = malloc(sizeof(double) * opt_nq);
	double		total = 0;
	long		found = 0, returned = 0;

	for (int q = 0; q < opt_nq; q++)
	{
		double		start = now_us();
		PGresult   *res = run(conn, "q", q, NULL);

		times[q] = now_us() - start;
		total += times[q];
		found += hits(res, q);
		returned += PQntuples(res);
		PQclear(res);
	}
	qsort(times, opt_nq, sizeof(double), compare_doubles);
	*p99 = times[(int) (opt_nq * 0.99)];
	*recall = (double) found / opt_k / opt_nq;
	*rows = (double) returned / opt_nq;
	free(times);
	return total / opt_nq;
}

static double
lookup_pass(PGconn *conn)
{
	double		start = now_us();

	for (int q = 0; q < opt_nq; q++)
	{
		char		id[32];

		snprintf(id, sizeof(id), "%d", (int) ((q * 7919L) % nbase));
		PQclear(run(conn, "l", q, id));
	}
	return (now_us() - start) / opt_nq;
}

static void
measure(PGconn *conn, const char *label)
{
	double		times[MAX_RUNS], lookups[MAX_RUNS], recall, rows, p99;

	(void) pass(conn, &recall, &rows, &p99);	/* warm */
	for (int r = 0; r < opt_runs; r++)
	{
		times[r] = pass(conn, &recall, &rows, &p99);
		lookups[r] = opt_lookup ? lookup_pass(conn) : 0;
	}
	qsort(times, opt_runs, sizeof(double), compare_doubles);
	qsort(lookups, opt_runs, sizeof(double), compare_doubles);
	printf("%s\t%.4f\t%.1f\t%.1f\t%.1f\t%.1f\t%.1f\t%.2f\n", label, recall,
		   times[opt_runs / 2], times[0], times[opt_runs - 1], p99,
		   lookups[opt_runs / 2], rows);
	fflush(stdout);
}

int
main(int argc, char **argv)
{
	PGconn	   *conn;

	if (argc < 3)
		die("usage", "driver CONNINFO key=value ...");
	parse_options(argc, argv);
	load();
	make_params();

	conn = PQconnectdb(argv[1]);
	if (PQstatus(conn) != CONNECTION_OK)
		die("connect", PQerrorMessage(conn));
	PQclear(PQexec(conn, "SET jit = off"));
	PQclear(PQprepare(conn, "q", opt_sql, 0, NULL));
	if (opt_lookup)
		PQclear(PQprepare(conn, "l", opt_lookup, 0, NULL));

	if (opt_set == NULL)
		measure(conn, "-");
	else
	{
		char	   *copy = strdup(opt_set);
		char	   *name = strtok(copy, "=");

		for (char *v = strtok(NULL, ","); v; v = strtok(NULL, ","))
		{
			char		command[256];
			PGresult   *res;

			snprintf(command, sizeof(command), "SET %s = %s", name, v);
			res = PQexec(conn, command);
			if (PQresultStatus(res) != PGRES_COMMAND_OK)
				die(command, PQerrorMessage(conn));
			PQclear(res);
			measure(conn, v);
		}
		free(copy);
	}
	PQfinish(conn);
	return 0;
}
