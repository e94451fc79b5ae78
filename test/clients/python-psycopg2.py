# psycopg2: text, types registered by name, arrays, cursors, COPY.

import io

import psycopg2
import psycopg2.extensions
import psycopg2.extras

conn = psycopg2.connect('')
conn.autocommit = True
cur = conn.cursor()


def run(sql, args=None):
    try:
        cur.execute(sql, args)
        print(sql, '->', cur.fetchall() if cur.description else cur.statusmessage)
    except psycopg2.Error as error:
        print(sql, '->', error.pgcode, error.diag.message_primary)


run("SELECT 'vector'::regtype::text, '_vector'::regtype::text")
cur.execute('SELECT NULL::vector, NULL::vector[]')
vector, array = (column.type_code for column in cur.description)
as_list = psycopg2.extensions.new_type(
    (vector,), 'VECTOR', lambda text, c: text and [float(x) for x in text[1:-1].split(',')])
psycopg2.extensions.register_type(as_list)
psycopg2.extensions.register_type(psycopg2.extensions.new_array_type((array,), 'VECTORARRAY', as_list))

run('CREATE TABLE t (id serial PRIMARY KEY, v vector(3), vs vector[])')
run('CREATE INDEX ON t USING hnsw (v vector_cosine_ops)')
psycopg2.extras.execute_values(cur, 'INSERT INTO t (v) VALUES %s', [('[%d,1,2]' % i,) for i in range(1, 6)])
run('INSERT INTO t (v, vs) VALUES (%s, %s::vector[]) RETURNING *', ([1.5, 2, 3], ['[1,2]', '[3]']))
run('INSERT INTO t (v) VALUES (%s) RETURNING v', ([7, 8, 9],))
run('SELECT id, v, v <-> %s FROM t ORDER BY v <-> %s, id LIMIT 2', ('[2,1,2]', '[2,1,2]'))
run('SELECT id FROM t WHERE v = ANY(%s::vector[])', (['[2,1,2]', '[3,1,2]'],))
run('SELECT v <-> %s FROM t', ([1.5, 2, 3],))
run('SELECT v <-> %s::vector FROM t WHERE id = 1', ([1.5, 2, 3],))
run('SELECT avg(v), sum(v) FROM t WHERE id < 6')
run('INSERT INTO t (v) VALUES (%s)', ('[1,2]',))

cur.copy_expert('COPY t (v) FROM STDIN', io.StringIO('[0,0,1]\n\\N\n'))
out = io.StringIO()
cur.copy_expert('COPY (SELECT v, vs FROM t WHERE id > 5 ORDER BY id) TO STDOUT WITH CSV', out)
print(out.getvalue(), end='')

conn.autocommit = False
cur.execute('SET LOCAL hnsw.ef_search = 100')
cur.execute('SAVEPOINT a')
run('INSERT INTO t (v) VALUES (%s)', ('[1,2]',))
cur.execute('ROLLBACK TO SAVEPOINT a')
run('SHOW hnsw.ef_search')
with conn.cursor(name='server_side', scrollable=True) as named:
    named.itersize = 2
    named.execute('SELECT id FROM t WHERE v IS NOT NULL ORDER BY v <-> %s, id', ('[3,1,2]',))
    print('cursor', named.fetchmany(2))
    named.scroll(-1)
    print('back', named.fetchall())
conn.rollback()
run('SHOW hnsw.ef_search')
