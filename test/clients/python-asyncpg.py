# asyncpg: always binary and always prepared; codecs are found by name and schema.

import asyncio
import os
import struct

import asyncpg


# no sequence, which would be an array
class Vector:
    def __init__(self, *elements):
        self.elements = elements

    def __repr__(self):
        return 'Vector' + repr(self.elements)


def encode(vector):
    return struct.pack('>hh%df' % len(vector.elements), len(vector.elements), 0, *vector.elements)


def decode(data):
    return Vector(*struct.unpack_from('>%df' % struct.unpack_from('>h', data), data, 4))


async def main():
    conn = await asyncpg.connect(host=os.environ['PGHOST'], port=os.environ['PGPORT'],
                                 user=os.environ['PGUSER'], database=os.environ['PGDATABASE'])

    async def run(sql, *args):
        try:
            print(sql, '->', [tuple(row) for row in await conn.fetch(sql, *args)])
        except asyncpg.PostgresError as error:
            print(sql, '->', error.sqlstate, error.message)

    await run('CREATE TABLE t (id int PRIMARY KEY, v vector(3), h halfvec(3), b bit(3), vs vector[])')
    await run('CREATE INDEX ON t USING ivfflat (h halfvec_l2_ops) WITH (lists = 1)')

    await conn.set_type_codec('halfvec', schema='public', encoder=str, decoder=str, format='text')
    await conn.set_type_codec('vector', schema='public', encoder=encode, decoder=decode, format='binary')
    await conn.executemany('INSERT INTO t (id, v, h, b) VALUES ($1, $2, $3, $4)',
                           [(i, Vector(i, 1, 2), [i, 1, 2], asyncpg.BitString('101')) for i in range(1, 6)])
    await conn.copy_records_to_table('t', columns=['id', 'v'], records=[(6, Vector(6, 1, 2)), (7, None)])
    statement = await conn.prepare('SELECT id, v, h, vs, v <-> $1 AS d FROM t WHERE h <-> $2 < $3 ORDER BY d LIMIT $4')
    print([(p.name, p.schema, p.kind) for p in statement.get_parameters()])
    print([(a.name, a.type.name) for a in statement.get_attributes()])
    print([tuple(row) for row in await statement.fetch(Vector(2, 1, 2), [2, 1, 2], 1.5, 1)])
    await run('UPDATE t SET vs = $1 WHERE id = 1 RETURNING vs', [Vector(1, 2), Vector(3)])
    await run('SELECT id FROM t WHERE v = ANY($1::vector[]) ORDER BY id', [Vector(2, 1, 2), Vector(6, 1, 2)])
    await run('SELECT avg(v), sum(v), count(v) FROM t')
    await run('SELECT b <~> $1, b <%> $1 FROM t WHERE id = 1', asyncpg.BitString('111'))
    await run('SELECT v <-> $1 FROM t', Vector(1, 2))
    await run('INSERT INTO t (id, v) VALUES (8, $1)', Vector(1, 2))
    await run('INSERT INTO t (id, v) VALUES (8, $1)', Vector(float('nan'), 2, 3))
    async with conn.transaction():
        await conn.execute('SET LOCAL ivfflat.probes = 3')
        print('probes', await conn.fetchval('SHOW ivfflat.probes'))
        cursor = await conn.cursor('SELECT id FROM t WHERE v IS NOT NULL ORDER BY v <-> $1, id', Vector(5, 1, 2))
        print('cursor', [r['id'] for r in await cursor.fetch(2)], len(await cursor.fetch(100)))
    await conn.close()


asyncio.run(main())
