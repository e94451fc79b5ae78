# Django: a field of its own, the schema editor, ordering by expressions,
# aggregates, distinct rows, and introspection.

import os

import django
from django.conf import settings
from django.core.management import call_command

settings.configure(
    DATABASES={'default': {'ENGINE': 'django.db.backends.postgresql', 'NAME': os.environ['PGDATABASE'],
                           'USER': os.environ['PGUSER'], 'HOST': os.environ['PGHOST'], 'PORT': os.environ['PGPORT']}},
    DEFAULT_AUTO_FIELD='django.db.models.BigAutoField', USE_TZ=True)
django.setup()

from django.db import DataError, connection, models, transaction
from django.db.models import Aggregate, FloatField, Func, Value
from django.db.models.functions import Cast


class VectorField(models.Field):
    def __init__(self, *args, dimensions=None, **kwargs):
        self.dimensions = dimensions
        super().__init__(*args, **kwargs)

    def db_type(self, connection):
        return 'vector' if self.dimensions is None else 'vector(%d)' % self.dimensions

    def from_db_value(self, value, expression, connection):
        return value and [float(x) for x in value[1:-1].split(',')]

    def get_prep_value(self, value):
        return value if value is None or isinstance(value, str) else '[' + ','.join(str(float(x)) for x in value) + ']'


class Item(models.Model):
    embedding = VectorField(dimensions=3, null=True)
    group = models.IntegerField()

    class Meta:
        app_label = 'clients'
        db_table = 'item'


class L2Distance(Func):
    output_field = FloatField()

    def __init__(self, expression, vector):
        super().__init__(expression, Cast(Value('[' + ','.join(map(str, vector)) + ']'), VectorField()))

    def as_sql(self, compiler, connection, **extra):
        return super().as_sql(compiler, connection, template='(%(expressions)s)', arg_joiner=' <-> ')


class Avg(Aggregate):
    function = 'AVG'
    output_field = VectorField()


with connection.schema_editor() as editor:
    editor.create_model(Item)
    editor.execute('CREATE INDEX item_embedding ON item USING hnsw (embedding vector_l2_ops) WITH (m = 8)')

Item.objects.bulk_create([Item(embedding=[i, 1, 2], group=i % 2) for i in range(1, 6)])
Item.objects.create(group=0)
nearest = Item.objects.annotate(distance=L2Distance('embedding', [3, 1, 2]))
print(nearest.order_by('distance', 'id').values_list('id', 'embedding', 'distance')[:2])
print(nearest.filter(distance__lt=1.5).order_by('id').values_list('id', flat=True))
print(nearest.exclude(embedding=None).order_by(L2Distance('embedding', [5, 1, 2])).first().embedding)
print(Item.objects.values('group').annotate(average=Avg('embedding')).order_by('group'))
print(Item.objects.exclude(embedding=None).order_by('embedding').values_list('embedding', flat=True).distinct()[:2])
Item.objects.filter(id=1).update(embedding=[7, 8, 9])
print(Item.objects.get(embedding=[7, 8, 9]).id)
try:
    with transaction.atomic():
        Item.objects.create(embedding=[1, 2], group=0)
except DataError as error:
    print(error.__cause__.pgcode, str(error).strip())

with connection.schema_editor() as editor:
    old, new = Item._meta.get_field('embedding'), VectorField(dimensions=3, default='[0,0,0]')
    new.set_attributes_from_name('embedding')
    editor.alter_field(Item, old, new)
with connection.cursor() as cursor:
    for name, index in sorted(connection.introspection.get_constraints(cursor, 'item').items()):
        if not name.startswith('item_pkey'):
            print(name, index['columns'], index['type'], index['definition'], index['options'])
call_command('inspectdb', 'item')
