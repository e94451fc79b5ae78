# SQLAlchemy: a user-defined type, operators, indexes with operator classes
# and storage parameters, and all of it read back from the catalogs.

from sqlalchemy import Column, Index, Integer, MetaData, Table, cast, create_engine, func, inspect, select, text
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy.schema import CreateTable
from sqlalchemy.types import Float, UserDefinedType


class Vector(UserDefinedType):
    cache_ok = True

    def __init__(self, dim=None):
        self.dim = dim and int(dim)

    def get_col_spec(self, **kw):
        return 'VECTOR' if self.dim is None else 'VECTOR(%d)' % self.dim

    def bind_processor(self, dialect):
        return lambda value: value and '[' + ','.join(str(float(x)) for x in value) + ']'

    def result_processor(self, dialect, coltype):
        return lambda value: value and [float(x) for x in value[1:-1].split(',')]

    class comparator_factory(UserDefinedType.Comparator):
        def l2_distance(self, other):
            return self.op('<->', return_type=Float)(other)

        def cosine_distance(self, other):
            return self.op('<=>', return_type=Float)(other)


class HalfVector(Vector):
    cache_ok = True

    def get_col_spec(self, **kw):
        return 'HALFVEC' if self.dim is None else 'HALFVEC(%d)' % self.dim


ischema_names['vector'] = Vector
ischema_names['halfvec'] = HalfVector

engine = create_engine('postgresql+psycopg2://')
meta = MetaData()
t = Table('t', meta, Column('id', Integer, primary_key=True),
          Column('v', Vector(3), server_default=text("'[0,0,0]'")),
          Column('h', HalfVector(3)), Column('u', Vector()))
Index('t_v', t.c.v, postgresql_using='hnsw', postgresql_with={'m': 8, 'ef_construction': 32},
      postgresql_ops={'v': 'vector_cosine_ops'})
Index('t_h', t.c.h, postgresql_using='ivfflat', postgresql_with={'lists': 1}, postgresql_ops={'h': 'halfvec_l2_ops'})
Index('t_expression', cast(t.c.v, HalfVector(3)).label('half'), postgresql_using='hnsw',
      postgresql_ops={'half': 'halfvec_l2_ops'})
Index('t_partial', t.c.v, postgresql_using='hnsw', postgresql_ops={'v': 'vector_ip_ops'}, postgresql_where=t.c.id > 5)
meta.create_all(engine)

with engine.connect() as conn:
    conn.execute(t.insert(), [dict(v=[i, 1, 2], h=[i, 1, 2], u=[i]) for i in range(1, 6)])
    for distance in (t.c.v.l2_distance([3, 1, 2]), t.c.v.cosine_distance([3, 1, 2])):
        print(distance, conn.execute(select(t.c.id, distance).order_by(distance, t.c.id).limit(2)).all())
    print(conn.execute(select(t.c.v, t.c.h, t.c.u).where(t.c.id == 1)).all())
    print(conn.execute(select(func.avg(t.c.v, type_=Vector()), func.sum(t.c.h, type_=HalfVector()))).all())
    print(conn.execute(t.insert().values(v=None, u=[9]).returning(t.c.v, t.c.u)).all())

reflected = MetaData()
reflected.reflect(engine)
print(CreateTable(reflected.tables['t']).compile(engine))
for index in sorted(inspect(engine).get_indexes('t'), key=lambda index: index['name']):
    print(index['name'], index['column_names'], sorted(index.get('dialect_options', {}).items()))
