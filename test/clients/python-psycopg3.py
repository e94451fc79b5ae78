# psycopg 3: text and binary parameters and results through a registered type, arrays,
# binary COPY, pipelines, prepared statements with generic plans, cursors.

import struct

import psycopg
from psycopg.adapt import Dumper, Loader
from psycopg.pq import Format
from psycopg.types import TypeInfo
from psycopg.types.array import register_array

conn = psycopg.connect('', autocommit=True)


# no list, which would be an array
class Vector(tuple):
    def __repr__(self):
        return 'Vector' + super().__repr__()


class VectorTextDumper(Dumper):
    def dump(self, vector):
        return ('[' + ','.join(map(str, vector)) + ']').encode()


class VectorDumper(Dumper):
    format = Format.BINARY

    def dump(self, vector):
        return struct.pack('>hh%df' % len(vector), len(vector), 0, *vector)


class VectorLoader(Loader):
    format = Format.BINARY

    def load(self, data):
        dim, unused = struct.unpack_from('>hh', data)
        assert unused == 0
        return Vector(struct.unpack_from('>%df' % dim, data, 4))


def run(sql, args=None, **options):
    try:
        with conn.transaction():
            cur = conn.execute(sql, args, **options)
            print(sql, '->', cur.fetchall() if cur.description else cur.statusmessage)
    except psycopg.Error as error:
        print(sql, '->', error.sqlstate, error.diag.message_primary)


info = TypeInfo.fetch(conn, 'vector')
print(info.name, info.delimiter, info.array_oid != 0)
info.register(conn)
register_array(info, conn)
for dumper in (VectorTextDumper, VectorDumper):
    dumper.oid = info.oid
    conn.adapters.register_dumper(Vector, dumper)
conn.adapters.register_loader(info.oid, VectorLoader)

run('CREATE TABLE t (id int PRIMARY KEY, v vector(3), vs vector[])')
run('CREATE INDEX ON t USING hnsw (v vector_l2_ops)')
with conn.cursor().copy('COPY t (id, v) FROM STDIN WITH (FORMAT binary)') as copy:
    copy.set_types(['int4', 'vector'])
    for i in range(1, 6):
        copy.write_row((i, Vector([i, 1, 2])))
with conn.cursor().copy('COPY (SELECT v FROM t ORDER BY id LIMIT 2) TO STDOUT WITH (FORMAT binary)') as copy:
    copy.set_types(['vector'])
    print('copy', list(copy.rows()))

for binary in (False, True):
    run('SELECT id, v, v <-> %s, ARRAY[v], v::real[] FROM t WHERE id = 2', (Vector([0, 0, 0]),), binary=binary)
run('INSERT INTO t VALUES (%s, %s, %s) RETURNING *', (6, Vector([6, 1, 2]), [Vector([1, 2]), Vector([3])]), binary=True)
run('SELECT id FROM t WHERE v = ANY(%s) ORDER BY id', ([Vector([2, 1, 2]), Vector([3, 1, 2])],))
run('SELECT v <-> %s FROM t', (Vector([2, 1]),))
run('SELECT vector_dims(%s)', (Vector([2, 1]),))
run('SELECT vector_dims(%s)', ('[2,1]',))
run('SELECT %s <=> %s', ('[2,1]', '[1,2]'))
run('SELECT %s::vector', ([1.5, 2.5],))
run('SELECT v <-> %s FROM t', ([1.5, 2.5, 3.5],))
run('INSERT INTO t (id, v) VALUES (7, %s) RETURNING v', ([1.5, 2.5, 3.5],))

conn.prepare_threshold = 0
for i in range(8):
    answer = conn.execute('SELECT id FROM t ORDER BY v <-> %s, id LIMIT 1', (Vector([i, 1, 2]),)).fetchall()
print('prepared', answer)
run("SELECT parameter_types, generic_plans + custom_plans > 5 FROM pg_prepared_statements WHERE statement LIKE '%LIMIT 1'")

with conn.pipeline():
    answers = [conn.execute('SELECT id FROM t ORDER BY v <-> %s, id LIMIT 2', (Vector([i, 1, 2]),)) for i in (1, 4)]
print('pipeline', [a.fetchall() for a in answers])

with conn.transaction(), conn.cursor(name='server_side', binary=True) as named:
    named.execute('SELECT id, v FROM t ORDER BY v <-> %s, id', (Vector([5, 1, 2]),))
    print('cursor', named.fetchmany(2), len(named.fetchall()))
