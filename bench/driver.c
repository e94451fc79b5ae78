/*-------------------------------------------------------------------------
 *
 * driver.c
 *	  The client of the benchmark: time and recall together, through libpq.
 *
 *	driver VERB CONNINFO key=value ...
 *
 *	query	time and recall of prepared queries, for each value of a setting
 *	pages	pages of the index that a query touches, and recall, likewise
 *	time	one statement: seconds, and bytes of WAL
 *	insert	rows of a file one by one: seconds, and bytes of WAL
 *	load	rows of a file by binary COPY into a table (id, vector)
 *
 *	base=FILE query=FILE	float32 rows, little-endian, no header
 *	truth=FILE				int32 nq, int32 k, then int32 ids, nearest first
 *	dim=N nq=N k=N			dimensions, queries used, rows asked for
 *	metric=l2|cosine		of the truth
 *	sql=STATEMENT			query: $1 is the query vector, first column the id
 *							insert: $1 is the id, $2 the vector
 *	format=text|binary		of the vector parameter
 *	set=NAME=V1,V2,...		one line of output for each value of a setting
 *	until=RECALL			the first value that reaches it is the last
 *	clients=N				connections, each busy with all queries (query only)
 *	runs=N					passes over the queries, after one that warms
 *	lookup=STATEMENT		also timed: $1 is the query vector, $2 an id
 *	table=NAME				that is loaded, or whose pages are not the index's
 *	from=N to=N				rows of the base file, the last one excluded
 *
 * A row counts as found if its distance is not above that of the k-th true
 * one, so ties cost nothing.  Text has the fewest digits that give the same
 * float32, which is what clients send and servers print.
 *
 * Output, one line a setting, tab-separated.  query: value, recall, rows, then
 * median, min and max over the runs of microseconds a query, of the server
 * process's CPU microseconds a query, and of microseconds a lookup, then the
 * 99th percentile of the last run.  pages: value, recall, rows, pages of the
 * index, pages in all.  Verbs that change something: seconds, WAL bytes, CPU
 * seconds of the server process that serves the connection.
 *
 *-------------------------------------------------------------------------
 */
#include <arpa/inet.h>
#include <libpq-fe.h>
#include <math.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MAX_RUNS	101
#define MAX_CLIENTS	16

static const char *opt_base,
		   *opt_query,
		   *opt_truth,
		   *opt_sql,
		   *opt_set,
		   *opt_lookup,
		   *opt_table,
		   *opt_until,
		   *opt_metric = "l2",
		   *opt_format = "text";
static int	opt_dim,
			opt_nq = 1000,
			opt_k = 10,
			opt_runs = 5,
			opt_clients = 1,
			opt_from = 0,
			opt_to = -1;

static const struct
{
	const char *key;
	const char **string;		/* one of these two */
	int		   *number;
}			options[] = {
	{"base", &opt_base, NULL},
	{"query", &opt_query, NULL},
	{"truth", &opt_truth, NULL},
	{"sql", &opt_sql, NULL},
	{"set", &opt_set, NULL},
	{"lookup", &opt_lookup, NULL},
	{"table", &opt_table, NULL},
	{"until", &opt_until, NULL},
	{"metric", &opt_metric, NULL},
	{"format", &opt_format, NULL},
	{"dim", NULL, &opt_dim},
	{"nq", NULL, &opt_nq},
	{"k", NULL, &opt_k},
	{"runs", NULL, &opt_runs},
	{"clients", NULL, &opt_clients},
	{"from", NULL, &opt_from},
	{"to", NULL, &opt_to},
};

static const char *conninfo;

static float *base;
static float *queries;
static int	nbase;
static int32_t *truth;			/* NULL: recall is not computed */
static int	truth_k;

static char **text_param;		/* each query in both forms */
static char **binary_param;
static int	binary_len;

/* what one pass over the queries gives */
typedef struct Pass
{
	double		us;				/* mean of a query */
	double		cpu;			/* mean CPU of the server process */
	double		p99;
	double		recall;
	double		rows;			/* mean number returned */
} Pass;

/* one connection of the verb query, and what its thread is to do */
typedef struct Client
{
	PGconn	   *conn;
	int			start;			/* clients begin at different queries */
	Pass		pass;			/* out */
	pthread_t	thread;
} Client;

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

/* ---- data ---- */

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
load_files(void)
{
	size_t		bytes;

	if (opt_dim <= 0)
		die("dim", "is needed");
	if (opt_base)
	{
		base = read_file(opt_base, &bytes);
		nbase = bytes / sizeof(float) / opt_dim;
	}
	if (opt_query)
	{
		queries = read_file(opt_query, &bytes);
		if (bytes / sizeof(float) / opt_dim < (size_t) opt_nq)
			opt_nq = bytes / sizeof(float) / opt_dim;
	}
	if (opt_truth)
	{
		int32_t    *head = read_file(opt_truth, &bytes);

		if (base == NULL)
			die("truth", "needs base");
		if (opt_nq > head[0])
			opt_nq = head[0];
		truth_k = head[1];
		truth = head + 2;
		if (opt_k > truth_k)
			die("k", "is larger than the truth's");
	}
	if (opt_to < 0 || opt_to > nbase)
		opt_to = nbase;
}

/* a vector as text; returns the end */
static char *
write_text(char *p, const float *v)
{
	*p++ = '[';
	for (int i = 0; i < opt_dim; i++)
	{
		char	   *number = p + (i > 0);
		int			len = 0;

		if (i > 0)
			*p = ',';
		for (int digits = 6; digits <= 9; digits++)
		{
			len = sprintf(number, "%.*g", digits, v[i]);
			if (strtof(number, NULL) == v[i])
				break;
		}
		p = number + len;
	}
	*p++ = ']';
	*p = '\0';
	return p;
}

/* a vector in the binary form of the type: int16 n, int16 0, n float4 */
static void
write_binary(char *p, const float *v)
{
	uint16_t	head[2] = {htons(opt_dim), 0};

	memcpy(p, head, 4);
	for (int i = 0; i < opt_dim; i++)
	{
		uint32_t	bits;

		memcpy(&bits, v + i, 4);
		bits = htonl(bits);
		memcpy(p + 4 + 4 * (size_t) i, &bits, 4);
	}
}

static void
make_params(void)
{
	char	   *buffer = malloc((size_t) opt_dim * 17 + 3);

	if (queries == NULL)
		die("query", "is needed");
	text_param = malloc(sizeof(char *) * opt_nq);
	binary_param = malloc(sizeof(char *) * opt_nq);
	binary_len = 4 + 4 * opt_dim;
	for (int q = 0; q < opt_nq; q++)
	{
		const float *v = queries + (size_t) q * opt_dim;

		write_text(buffer, v);
		text_param[q] = strdup(buffer);
		binary_param[q] = malloc(binary_len);
		write_binary(binary_param[q], v);
	}
	free(buffer);
}

static double
distance(const float *a, const float *b)
{
	double		dot = 0,
				na = 0,
				nb = 0,
				l2 = 0;

	for (int i = 0; i < opt_dim; i++)
	{
		double		d = (double) a[i] - b[i];

		l2 += d * d;
		dot += (double) a[i] * b[i];
		na += (double) a[i] * a[i];
		nb += (double) b[i] * b[i];
	}
	return strcmp(opt_metric, "cosine") == 0 ? 1 - dot / sqrt(na * nb) : sqrt(l2);
}

/* rows of an answer that are among the true nearest, ties included */
static int
hits(PGresult *res, int q)
{
	const float *query = queries + (size_t) q * opt_dim;
	const int32_t *ids = truth + (size_t) q * truth_k;
	double		limit = distance(query, base + (size_t) ids[opt_k - 1] * opt_dim);
	int			n = 0;

	for (int i = 0; i < PQntuples(res) && i < opt_k; i++)
	{
		int			id = atoi(PQgetvalue(res, i, 0));

		if (id >= 0 && id < nbase &&
			distance(query, base + (size_t) id * opt_dim) <=
			limit + 1e-6 * fabs(limit) + 1e-7)
			n++;
	}
	return n;
}

/* ---- server ---- */

static PGconn *
connect_server(void)
{
	PGconn	   *conn = PQconnectdb(conninfo);

	if (PQstatus(conn) != CONNECTION_OK)
		die("connect", PQerrorMessage(conn));
	return conn;
}

/* runs a statement that must succeed; the caller clears the result */
static PGresult *
exec_sql(PGconn *conn, const char *sql)
{
	PGresult   *res = PQexec(conn, sql);

	if (PQresultStatus(res) != PGRES_COMMAND_OK &&
		PQresultStatus(res) != PGRES_TUPLES_OK)
		die(sql, PQerrorMessage(conn));
	return res;
}

static double
exec_number(PGconn *conn, const char *sql)
{
	PGresult   *res = exec_sql(conn, sql);
	double		value = PQntuples(res) ? atof(PQgetvalue(res, 0, 0)) : 0;

	PQclear(res);
	return value;
}

static void
prepare(PGconn *conn, const char *name, const char *sql)
{
	PGresult   *res = PQprepare(conn, name, sql, 0, NULL);

	if (PQresultStatus(res) != PGRES_COMMAND_OK)
		die(sql, PQerrorMessage(conn));
	PQclear(res);
}

/* CPU microseconds of a server process so far; 0 if this system does not say */
static double
cpu_us(PGconn *conn)
{
	char		path[64];
	FILE	   *f;
	double		ns = 0;

	snprintf(path, sizeof(path), "/proc/%d/schedstat", PQbackendPID(conn));
	f = fopen(path, "r");
	if (f == NULL)
		return 0;
	if (fscanf(f, "%lf", &ns) != 1)
		ns = 0;
	fclose(f);
	return ns / 1e3;
}

/* a prepared statement with the query vector, and perhaps an id */
static PGresult *
run_prepared(PGconn *conn, const char *name, int q, const char *id)
{
	int			binary = strcmp(opt_format, "binary") == 0;
	const char *values[2] = {binary ? binary_param[q] : text_param[q], id};
	int			lengths[2] = {binary_len, 0};
	int			formats[2] = {binary, 0};
	PGresult   *res = PQexecPrepared(conn, name, id ? 2 : 1, values,
									 lengths, formats, 0);

	if (PQresultStatus(res) != PGRES_TUPLES_OK)
		die(name, PQerrorMessage(conn));
	return res;
}

static int
compare_doubles(const void *a, const void *b)
{
	double		x = *(const double *) a,
				y = *(const double *) b;

	return (x > y) - (x < y);
}

/* ---- query ---- */

/* one pass of one client over all queries */
static void *
query_pass(void *arg)
{
	Client	   *client = arg;
	double	   *times = malloc(sizeof(double) * opt_nq);
	double		total = 0,
				cpu = cpu_us(client->conn);
	long		found = 0,
				returned = 0;

	for (int i = 0; i < opt_nq; i++)
	{
		int			q = (client->start + i) % opt_nq;
		double		start = now_us();
		PGresult   *res = run_prepared(client->conn, "q", q, NULL);

		times[i] = now_us() - start;
		total += times[i];
		returned += PQntuples(res);
		if (truth)
			found += hits(res, q);
		PQclear(res);
	}
	qsort(times, opt_nq, sizeof(double), compare_doubles);
	client->pass.us = total / opt_nq;
	client->pass.cpu = (cpu_us(client->conn) - cpu) / opt_nq;
	client->pass.p99 = times[(int) (opt_nq * 0.99)];
	client->pass.recall = (double) found / opt_k / opt_nq;
	client->pass.rows = (double) returned / opt_nq;
	free(times);
	return NULL;
}

/* one pass of all clients at the same time; means over them */
static Pass
all_clients_pass(Client *clients)
{
	Pass		mean = {0};

	for (int c = 0; c < opt_clients; c++)
		if (pthread_create(&clients[c].thread, NULL, query_pass, &clients[c]) != 0)
			die("clients", "cannot start a thread");
	for (int c = 0; c < opt_clients; c++)
	{
		Pass	   *pass = &clients[c].pass;

		pthread_join(clients[c].thread, NULL);
		mean.us += pass->us / opt_clients;
		mean.cpu += pass->cpu / opt_clients;
		mean.recall += pass->recall / opt_clients;
		mean.rows += pass->rows / opt_clients;
		if (pass->p99 > mean.p99)
			mean.p99 = pass->p99;
	}
	return mean;
}

static double
lookup_pass(PGconn *conn)
{
	double		start = now_us();

	for (int q = 0; q < opt_nq; q++)
	{
		char		id[32];

		snprintf(id, sizeof(id), "%d", (int) ((q * 7919L) % nbase));
		PQclear(run_prepared(conn, "l", q, id));
	}
	return (now_us() - start) / opt_nq;
}

static void
print_spread(double *values)
{
	qsort(values, opt_runs, sizeof(double), compare_doubles);
	printf("\t%.2f\t%.2f\t%.2f", values[opt_runs / 2], values[0],
		   values[opt_runs - 1]);
}

/* prints a line; returns the recall */
static double
measure_queries(Client *clients, const char *label)
{
	double		times[MAX_RUNS],
				cpus[MAX_RUNS],
				lookups[MAX_RUNS];
	Pass		pass = {0};

	all_clients_pass(clients);	/* warms */
	for (int r = 0; r < opt_runs; r++)
	{
		pass = all_clients_pass(clients);
		times[r] = pass.us;
		cpus[r] = pass.cpu;
		lookups[r] = opt_lookup ? lookup_pass(clients[0].conn) : 0;
	}
	printf("%s\t%.5f\t%.2f", label, pass.recall, pass.rows);
	print_spread(times);
	print_spread(cpus);
	print_spread(lookups);
	printf("\t%.1f\n", pass.p99);
	return pass.recall;
}

/* ---- pages ---- */

/* pages that an EXPLAIN says were touched, in all */
static double
explained_pages(PGresult *res)
{
	for (int i = 0; i < PQntuples(res); i++)
	{
		const char *line = strstr(PQgetvalue(res, i, 0), "Buffers: shared");
		const char *hit = line ? strstr(line, "hit=") : NULL;
		const char *read = line ? strstr(line, "read=") : NULL;

		if (line)
			return (hit ? atof(hit + 4) : 0) + (read ? atof(read + 5) : 0);
	}
	return 0;
}

/* pages of the table, its TOAST table included, that were touched so far */
static double
table_pages(PGconn *conn)
{
	char		sql[512];

	snprintf(sql, sizeof(sql),
			 "SELECT heap_blks_read + heap_blks_hit"
			 " + coalesce(toast_blks_read + toast_blks_hit"
			 " + tidx_blks_read + tidx_blks_hit, 0)"
			 " FROM pg_statio_all_tables WHERE relid = '%s'::regclass",
			 opt_table);
	PQclear(exec_sql(conn, "SELECT pg_stat_force_next_flush()"));
	return exec_number(conn, sql);
}

/*
 * The index's pages are those that EXPLAIN counts less those of the table:
 * the statistics of the index itself miss pages that were found again by a
 * remembered buffer number.
 */
static double
measure_pages(Client *clients, const char *label)
{
	PGconn	   *conn = clients[0].conn;
	double		total = 0,
				table;
	Pass		pass;

	pass = all_clients_pass(clients);	/* warms */
	table = table_pages(conn);
	for (int q = 0; q < opt_nq; q++)
	{
		PGresult   *res = run_prepared(conn, "x", q, NULL);

		total += explained_pages(res);
		PQclear(res);
	}
	table = table_pages(conn) - table;
	printf("%s\t%.5f\t%.2f\t%.2f\t%.2f\n", label, pass.recall, pass.rows,
		   (total - table) / opt_nq, total / opt_nq);
	return pass.recall;
}

/* ---- query and pages: the settings ---- */

static void
open_clients(Client *clients, int explain)
{
	for (int c = 0; c < opt_clients; c++)
	{
		clients[c].conn = connect_server();
		clients[c].start = c * opt_nq / opt_clients;
		prepare(clients[c].conn, "q", opt_sql);
		if (opt_lookup)
			prepare(clients[c].conn, "l", opt_lookup);
		if (explain)
		{
			char	   *sql = malloc(strlen(opt_sql) + 100);

			sprintf(sql, "EXPLAIN (ANALYZE, BUFFERS, TIMING OFF) %s", opt_sql);
			prepare(clients[c].conn, "x", sql);
			free(sql);
		}
	}
}

static void
for_each_setting(double (*measure) (Client *, const char *), int explain)
{
	Client		clients[MAX_CLIENTS];
	char	   *settings,
			   *name;

	if (opt_sql == NULL)
		die("sql", "is needed");
	make_params();
	open_clients(clients, explain);
	if (opt_set == NULL)
	{
		measure(clients, "-");
		return;
	}

	settings = strdup(opt_set);
	name = strtok(settings, "=");
	for (char *v = strtok(NULL, ","); v; v = strtok(NULL, ","))
	{
		char		command[256];
		double		recall;

		snprintf(command, sizeof(command), "SET %s = %s", name, v);
		for (int c = 0; c < opt_clients; c++)
			PQclear(exec_sql(clients[c].conn, command));
		recall = measure(clients, v);
		fflush(stdout);
		if (opt_until && recall >= atof(opt_until))
			break;
	}
	for (int c = 0; c < opt_clients; c++)
		PQfinish(clients[c].conn);
	free(settings);
}

/* ---- verbs that change something ---- */

static void
report_change(PGconn *conn, void (*change) (PGconn *))
{
	const char *lsn = "SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn";
	double		wal = exec_number(conn, lsn),
				cpu = cpu_us(conn),
				start = now_us(),
				us;

	change(conn);
	us = now_us() - start;
	cpu = cpu_us(conn) - cpu;
	wal = exec_number(conn, lsn) - wal;
	printf("%.6f\t%.0f\t%.6f\n", us / 1e6, wal, cpu / 1e6);
}

static void
change_by_statement(PGconn *conn)
{
	PQclear(exec_sql(conn, opt_sql));
}

/* one statement and one transaction a row */
static void
change_by_inserts(PGconn *conn)
{
	char	   *vector = malloc(4 + 4 * (size_t) opt_dim);

	for (int i = opt_from; i < opt_to; i++)
	{
		char		id[16];
		const char *values[2] = {id, vector};
		int			lengths[2] = {0, 4 + 4 * opt_dim};
		int			formats[2] = {0, 1};
		PGresult   *res;

		snprintf(id, sizeof(id), "%d", i);
		write_binary(vector, base + (size_t) i * opt_dim);
		res = PQexecPrepared(conn, "i", 2, values, lengths, formats, 0);
		if (PQresultStatus(res) != PGRES_COMMAND_OK)
			die("insert", PQerrorMessage(conn));
		PQclear(res);
	}
	free(vector);
}

static void
put_copy(PGconn *conn, const char *data, int n)
{
	if (PQputCopyData(conn, data, n) != 1)
		die("COPY", PQerrorMessage(conn));
}

static void
change_by_copy(PGconn *conn)
{
	char		sql[256];
	int			vector_len = 4 + 4 * opt_dim,
				row_len = 2 + 4 + 4 + 4 + vector_len;
	char	   *row = malloc(row_len);
	PGresult   *res;

	snprintf(sql, sizeof(sql), "COPY %s FROM STDIN (FORMAT binary)", opt_table);
	PQclear(PQexec(conn, sql));
	put_copy(conn, "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19);
	for (int i = opt_from; i < opt_to; i++)
	{
		uint16_t	fields = htons(2);
		uint32_t	words[3] = {htonl(4), htonl(i), htonl(vector_len)};

		memcpy(row, &fields, 2);
		memcpy(row + 2, words, 12);
		write_binary(row + 14, base + (size_t) i * opt_dim);
		put_copy(conn, row, row_len);
	}
	put_copy(conn, "\377\377", 2);
	free(row);
	if (PQputCopyEnd(conn, NULL) != 1)
		die("COPY", PQerrorMessage(conn));
	while ((res = PQgetResult(conn)) != NULL)
	{
		if (PQresultStatus(res) != PGRES_COMMAND_OK)
			die("COPY", PQerrorMessage(conn));
		PQclear(res);
	}
}

static void
verb_change(const char *verb)
{
	PGconn	   *conn = connect_server();

	if (strcmp(verb, "load") == 0)
	{
		if (opt_table == NULL || base == NULL)
			die("load", "needs table and base");
		report_change(conn, change_by_copy);
	}
	else if (opt_sql == NULL)
		die("sql", "is needed");
	else if (strcmp(verb, "insert") == 0)
	{
		if (base == NULL)
			die("insert", "needs base");
		prepare(conn, "i", opt_sql);
		report_change(conn, change_by_inserts);
	}
	else
		report_change(conn, change_by_statement);
	PQfinish(conn);
}

/* ---- main ---- */

static void
parse_option(char *argument)
{
	char	   *value = strchr(argument, '=');

	if (value == NULL)
		die(argument, "is not key=value");
	*value++ = '\0';
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
	{
		if (strcmp(argument, options[i].key) != 0)
			continue;
		if (options[i].string)
			*options[i].string = value;
		else
			*options[i].number = atoi(value);
		return;
	}
	die(argument, "unknown option");
}

int
main(int argc, char **argv)
{
	if (argc < 4)
		die("usage", "driver VERB CONNINFO key=value ...");
	conninfo = argv[2];
	for (int i = 3; i < argc; i++)
		parse_option(argv[i]);
	if (opt_runs < 1 || opt_runs > MAX_RUNS)
		die("runs", "is out of range");
	if (opt_clients < 1 || opt_clients > MAX_CLIENTS)
		die("clients", "is out of range");

	if (strcmp(argv[1], "time") != 0)
		load_files();
	if (strcmp(argv[1], "query") == 0)
		for_each_setting(measure_queries, 0);
	else if (strcmp(argv[1], "pages") == 0)
	{
		opt_clients = 1;
		if (opt_table == NULL)
			die("table", "is needed");
		for_each_setting(measure_pages, 1);
	}
	else if (strcmp(argv[1], "time") == 0 || strcmp(argv[1], "insert") == 0 ||
			 strcmp(argv[1], "load") == 0)
		verb_change(argv[1]);
	else
		die(argv[1], "unknown verb");
	return 0;
}
