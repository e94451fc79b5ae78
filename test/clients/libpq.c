/*-------------------------------------------------------------------------
 *
 * libpq.c
 *	  What a C program that uses libpq sees of the types.
 *
 * Binary parameters and results, what a server says of a prepared statement,
 * pipelines, row-by-row results, COPY in binary, and the fields of errors.
 *
 * IDENTIFICATION
 *	  test/clients/libpq.c
 *
 *-------------------------------------------------------------------------
 */
#include <arpa/inet.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static PGconn *conn;

static void
print_result(const char *name, PGresult *res)
{
	printf("%s: %s", name, PQresStatus(PQresultStatus(res)));
	if (PQresultStatus(res) == PGRES_FATAL_ERROR)
		printf(" %s %s", PQresultErrorField(res, PG_DIAG_SQLSTATE),
			   PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY));
	for (int row = 0; row < PQntuples(res); row++)
	{
		for (int col = 0; col < PQnfields(res); col++)
		{
			const unsigned char *value = (unsigned char *) PQgetvalue(res, row, col);

			putchar(col == 0 ? '\n' : ' ');
			if (PQgetisnull(res, row, col))
				printf("null");
			else if (PQfformat(res, col) == 0)
				printf("%s", value);
			else
				for (int i = 0; i < PQgetlength(res, row, col); i++)
					printf("%02x", value[i]);
		}
	}
	putchar('\n');
	PQclear(res);
}

static void
run(const char *sql)
{
	print_result(sql, PQexec(conn, sql));
}

static void
put16(char **to, int value)
{
	uint16_t	n = htons((uint16_t) value);

	memcpy(*to, &n, sizeof(n));
	*to += sizeof(n);
}

static void
put32(char **to, uint32_t value)
{
	uint32_t	n = htonl(value);

	memcpy(*to, &n, sizeof(n));
	*to += sizeof(n);
}

/* The binary form of a vector; returns its length. */
static int
binary_vector(char *to, int dim, const float *x)
{
	char	   *start = to;

	put16(&to, dim);
	put16(&to, 0);
	for (int i = 0; i < dim; i++)
	{
		uint32_t	bits;

		memcpy(&bits, &x[i], sizeof(bits));
		put32(&to, bits);
	}
	return (int) (to - start);
}

/* Send a vector of two elements, or its first 'length' bytes. */
static void
nearest(const char *name, int length, int result_format)
{
	char		buffer[64];
	const char *values[1] = {buffer};
	int			lengths[1];
	int			formats[1] = {1};
	float		x[3] = {2, 1, 2};

	lengths[0] = binary_vector(buffer, 3, x);
	if (length != 0)
		lengths[0] = length;
	print_result(name,
				 PQexecParams(conn, "SELECT id, v, v <-> $1 FROM t"
							  " ORDER BY v <-> $1, id LIMIT 2",
							  1, NULL, values, lengths, formats, result_format));
}

static void
describe(void)
{
	PGresult   *res;

	PQclear(PQprepare(conn, "p", "SELECT v, h, s, v <-> $1, h::real[], ARRAY[v]"
					  " FROM t WHERE s <> $2 ORDER BY h <=> $3 LIMIT $4",
					  0, NULL));
	res = PQdescribePrepared(conn, "p");
	printf("parameters:");
	for (int i = 0; i < PQnparams(res); i++)
	{
		char		sql[64];
		PGresult   *type;

		snprintf(sql, sizeof(sql), "SELECT %u::regtype", PQparamtype(res, i));
		type = PQexec(conn, sql);
		printf(" %s", PQgetvalue(type, 0, 0));
		PQclear(type);
	}
	printf("\ncolumns:");
	for (int i = 0; i < PQnfields(res); i++)
	{
		char		sql[96];
		PGresult   *type;

		snprintf(sql, sizeof(sql), "SELECT format_type(%u, %d)",
				 PQftype(res, i), PQfmod(res, i));
		type = PQexec(conn, sql);
		printf(" %s/%d", PQgetvalue(type, 0, 0), PQfsize(res, i));
		PQclear(type);
	}
	printf("\n");
	PQclear(res);
}

static void
pipeline(void)
{
	PGresult   *res;

	PQenterPipelineMode(conn);
	for (int i = 1; i <= 3; i++)
	{
		char		text[32];
		const char *values[1] = {text};

		snprintf(text, sizeof(text), i == 2 ? "[%d,1" : "[%d,1,2]", i);
		PQsendQueryParams(conn, "SELECT id FROM t ORDER BY v <-> $1, id LIMIT 1",
						  1, NULL, values, NULL, NULL, 0);
		PQpipelineSync(conn);
	}
	for (int i = 0; i < 3; i++)
	{
		while ((res = PQgetResult(conn)) != NULL)
			print_result("pipeline", res);
		PQclear(PQgetResult(conn)); /* the synchronization */
	}
	PQexitPipelineMode(conn);
}

static void
single_rows(void)
{
	PGresult   *res;

	PQsendQuery(conn, "SELECT id FROM t ORDER BY v <-> '[2,1,2]', id");
	PQsetSingleRowMode(conn);
	while ((res = PQgetResult(conn)) != NULL)
		print_result("row", res);
}

/* One row (9, vector) in the binary format of COPY. */
static void
copy_in(const char *name, int dim)
{
	char		buffer[128];
	char	   *p = buffer;
	char		value[64];
	float		x[4] = {9, 1, 2, 3};
	int			length = binary_vector(value, dim, x);

	memcpy(p, "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19);
	p += 19;
	put16(&p, 2);
	put32(&p, 4);
	put32(&p, 9);
	put32(&p, (uint32_t) length);
	memcpy(p, value, (size_t) length);
	p += length;
	put16(&p, -1);

	PQclear(PQexec(conn, "COPY t (id, v) FROM STDIN WITH (FORMAT binary)"));
	PQputCopyData(conn, buffer, (int) (p - buffer));
	PQputCopyEnd(conn, NULL);
	print_result(name, PQgetResult(conn));
	PQclear(PQgetResult(conn));
}

int
main(void)
{
	/* host, port, user and database come from the environment */
	conn = PQconnectdb("");
	if (PQstatus(conn) != CONNECTION_OK)
	{
		fprintf(stderr, "%s", PQerrorMessage(conn));
		return 1;
	}
	run("CREATE TABLE t (id int PRIMARY KEY, v vector(3), h halfvec(3), s sparsevec(3))");
	run("INSERT INTO t SELECT i, ARRAY[i,1,2], ARRAY[i,1,2], ARRAY[i,0,2] FROM generate_series(1, 4) i");
	run("CREATE INDEX ON t USING hnsw (v vector_l2_ops)");
	run("SELECT to_regtype('vector'), to_regtype('_vector'), typreceive, typsend FROM pg_type WHERE typname = 'vector'");

	nearest("binary to text", 0, 0);
	nearest("binary to binary", 0, 1);
	nearest("a byte is missing", 15, 0);
	nearest("no elements", 4, 0);
	describe();
	pipeline();
	single_rows();
	copy_in("copy", 3);
	copy_in("copy of other dimensions", 4);
	run("SELECT * FROM t WHERE id = 9");
	run("SELECT '[1,2'::vector");
	run("SELECT '[1,2]'::vector <-> '[1]'");
	run("SELECT $1 <-> $2");
	run("SELECT '[1]' <-> '[2]'");
	PQfinish(conn);
	return 0;
}
