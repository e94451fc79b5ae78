#!/usr/bin/python3
"""Measure two servers and write one CSV file; called by bench/run.

Every measurement is a part, below, and every result is a row: value, spread
and recall, with the versions, the settings and the load of the machine beside
them.  report.py makes the table.
"""
import argparse
import csv
import os
import statistics
import subprocess
import sys
import time

# The same values for every engine; a curve ends where it reaches LAST_RECALL.
GRID = [1, 4, 10, 20, 40, 60, 80, 120, 160, 200, 300, 400, 600, 800, 1000]
COARSE_GRID = [1, 10, 40, 80, 160, 400]
CHURN_GRID = [10, 20, 40, 80, 160]
LAST_RECALL = 0.9985

INSERTED = 10000        # rows, each of the two times
EXACT_QUERIES = 20
PARSED = 1000           # vectors in a statement
HNSWLIB = [(16, 200), (16, 64)]     # M and ef_construction; its own defaults first


class DataSet:
    """A set of vectors, and how SQL speaks of it."""

    def __init__(self, name, dim, metric, operator, opclass, directory):
        self.name = name
        self.table = name.lower()
        self.dim = dim
        self.metric = metric
        self.operator = operator
        self.opclass = opclass
        self.files = [os.path.join(directory, name + end)
                      for end in ('.base', '.query', '.truth')]
        self.rows = os.path.getsize(self.files[0]) // (4 * dim)

    def options(self):
        """What the driver must know of it."""
        return ['base=' + self.files[0], 'query=' + self.files[1],
                'truth=' + self.files[2], 'dim=%d' % self.dim,
                'metric=' + self.metric]

    def search(self, table):
        return 'SELECT id FROM %s ORDER BY v %s $1 LIMIT 10' % (table, self.operator)


class Engine:
    """A server with an extension "vector"."""

    def __init__(self, name, conninfo, tools):
        self.name = name
        self.conninfo = conninfo
        self.tools = tools
        self.sql('DROP DATABASE IF EXISTS bench')
        self.sql('CREATE DATABASE bench')
        self.conninfo = conninfo + ' dbname=bench'
        self.sql('CREATE EXTENSION vector', 'CREATE EXTENSION pg_prewarm')
        self.server = self.sql('SHOW server_version').split()[0]
        self.version = self.sql("SELECT extversion FROM pg_extension"
                                " WHERE extname = 'vector'")
        self.settings = self.sql(
            "SELECT string_agg(name || '=' || current_setting(name), ' ' ORDER BY name)"
            " FROM pg_settings WHERE name IN ('shared_buffers', 'work_mem',"
            " 'maintenance_work_mem', 'max_wal_size', 'jit', 'autovacuum',"
            " 'max_parallel_maintenance_workers', 'max_parallel_workers_per_gather',"
            " 'synchronous_commit', 'full_page_writes', 'wal_compression')")
        self.kernels = self.sql('SELECT vector_build_info()') if name == 'vector' else ''

    def sql(self, *statements):
        """Run statements; return what they print."""
        command = [self.tools.psql, '-XAtq', '-v', 'ON_ERROR_STOP=1',
                   self.conninfo + " options='-c client_min_messages=warning'"]
        for statement in statements:
            command += ['-c', statement]
        return self.tools.output(command).strip()

    def driver(self, verb, *options):
        """Run the driver; return its lines, each a list of fields."""
        lines = self.tools.output([self.tools.driver, verb, self.conninfo, *options])
        return [line.split('\t') for line in lines.splitlines()]

    def timed(self, statement, setup=''):
        """Run one statement; return seconds, bytes of WAL, CPU seconds of its process."""
        conninfo = self.conninfo + (" options='%s'" % setup if setup else '')
        line = self.tools.output([self.tools.driver, 'time', conninfo, 'sql=' + statement])
        return [float(x) for x in line.split('\t')]

    def create(self, table, data, key=True):
        self.sql('DROP TABLE IF EXISTS ' + table,
                 'CREATE TABLE %s (id int%s, v vector(%d))' %
                 (table, ' PRIMARY KEY' if key else '', data.dim))

    def load(self, table, data, start=0, stop=-1):
        self.driver('load', 'table=' + table, 'from=%d' % start, 'to=%d' % stop,
                    *data.options())

    def create_index(self, table, data):
        return 'CREATE INDEX %s_v ON %s USING hnsw (v %s)' % (table, table, data.opclass)

    def warm(self, table):
        """Put a table with all that belongs to it into shared buffers."""
        self.sql("SELECT pg_prewarm(c.oid) FROM pg_class t JOIN pg_class c"
                 " ON c.oid IN (t.oid, t.reltoastrelid) OR c.oid IN"
                 " (SELECT indexrelid FROM pg_index"
                 "  WHERE indrelid IN (t.oid, t.reltoastrelid))"
                 " WHERE t.oid = '%s'::regclass" % table)

    def searched(self, data):
        """The table that searches use: loaded, indexed, vacuumed, warm."""
        if self.sql("SELECT to_regclass('%s_v')" % data.table) == '':
            self.create(data.table, data)
            self.load(data.table, data)
            self.sql(self.create_index(data.table, data))
        self.sql('VACUUM ANALYZE ' + data.table)
        self.warm(data.table)
        plan = self.sql('EXPLAIN ' + data.search(data.table).replace(
            '$1', "(SELECT v FROM %s LIMIT 1)" % data.table))
        if 'Index Scan using %s_v' % data.table not in plan:
            sys.exit('%s does not use the index:\n%s' % (self.name, plan))


class Tools:
    """Programs, and how to run them."""

    def __init__(self, directory, psql):
        self.driver = os.path.join(directory, 'driver')
        self.hnswlib = os.path.join(directory, 'hnswlib')
        self.parse = os.path.join(directory, 'parse')
        self.psql = psql

    def output(self, command):
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
        if done.returncode != 0:
            sys.exit('failed: ' + ' '.join(command))
        return done.stdout


class Results:
    """The rows, written as they come."""

    COLUMNS = ['date', 'commit', 'machine', 'load', 'engine', 'version', 'server',
               'kernels', 'data', 'part', 'metric', 'case', 'value', 'min', 'max',
               'unit', 'recall', 'runs', 'settings']

    def __init__(self, path, commit, machine):
        self.file = open(path, 'w', newline='')
        self.writer = csv.DictWriter(self.file, self.COLUMNS)
        self.writer.writeheader()
        self.common = {'commit': commit, 'machine': machine}

    def add(self, engine, data, part, metric, case, unit, values, recall=None,
            runs=None):
        """One row; of several values the median with min and max."""
        values = values if isinstance(values, list) else [values]
        row = dict(self.common)
        row.update(date=time.strftime('%Y-%m-%dT%H:%M:%S'), load='%.1f' % os.getloadavg()[0],
                   data=data.name if data else '', part=part, metric=metric, case=case,
                   value='%.6g' % statistics.median(values), min='%.6g' % min(values),
                   max='%.6g' % max(values), unit=unit, runs=runs or len(values),
                   recall='' if recall is None else '%.5f' % recall)
        for field in ('version', 'server', 'kernels', 'settings'):
            row[field] = getattr(engine, field)
        row['engine'] = engine.name
        self.writer.writerow(row)
        self.file.flush()
        print('%-9s %-2s %-8s %-13s %-36s %10s %-6s %s' %
              (row['engine'], row['data'], part, metric, case, row['value'], unit,
               row['recall']), flush=True)


# ---- the parts ----
#
# Each takes the engines in turn for the same case, so that what the machine
# does meanwhile meets both.

def spread(fields):
    """Median, min and max as the driver prints them."""
    return [float(x) for x in fields]


def build(bench, data):
    """Default options, two processes; and the size."""
    for engine in bench.engines:
        engine.create(data.table, data)
        engine.load(data.table, data)
        engine.sql('VACUUM ANALYZE ' + data.table)
        times, wal = [], []
        for _ in range(bench.runs):
            engine.sql('DROP INDEX IF EXISTS %s_v' % data.table, 'CHECKPOINT')
            seconds, written, _ = engine.timed(engine.create_index(data.table, data))
            times.append(seconds)
            wal.append(written / 1e6)
        case = 'default options, 2 processes'
        bench.results.add(engine, data, 'build', 'time', case, 's', times)
        bench.results.add(engine, data, 'build', 'wal', case, 'MB', wal)
        size = float(engine.sql("SELECT pg_relation_size('%s_v')" % data.table))
        bench.results.add(engine, data, 'build', 'size', 'index', 'MB', size / 1e6)


def memory(bench, data):
    """maintenance_work_mem a tenth of the graph; the peer once, it takes long."""
    for engine in bench.engines:
        engine.searched(data)
        size = float(engine.sql("SELECT pg_relation_size('%s_v')" % data.table))
        kilobytes = int(size / 10 / 1024)
        times = []
        for _ in range(bench.runs if engine is bench.ours else 1):
            engine.sql('DROP INDEX %s_v' % data.table, 'CHECKPOINT')
            times.append(engine.timed(engine.create_index(data.table, data),
                                      '-c maintenance_work_mem=%dkB' % kilobytes)[0])
        bench.results.add(engine, data, 'memory', 'time',
                          'maintenance_work_mem=%dkB, 2 processes' % kilobytes, 's', times)
        recalls = engine.driver('query', 'sql=' + data.search(data.table), 'runs=1',
                                'set=hnsw.ef_search=40', *data.options())
        bench.results.add(engine, data, 'memory', 'recall', 'ef_search=40', '',
                          float(recalls[0][1]))
        engine.sql('DROP INDEX %s_v' % data.table)      # the others want the usual one


def query(bench, data):
    """Recall and time over the grid, and the lookup of a key beside it."""
    for form, clients, grid in (('text', 1, GRID), ('binary', 1, COARSE_GRID),
                                ('text', 2, COARSE_GRID)):
        for engine in bench.engines:
            engine.searched(data)
            lines = engine.driver(
                'query', 'sql=' + data.search(data.table), 'format=' + form,
                'clients=%d' % clients, 'runs=%d' % bench.runs,
                'lookup=SELECT id FROM %s WHERE id = $2::int AND $1::vector IS NOT NULL'
                % data.table,
                'set=hnsw.ef_search=' + ','.join(map(str, grid)),
                'until=%g' % LAST_RECALL, *data.options())
            kind = '%s, %d client%s' % (form, clients, 's' if clients > 1 else '')
            for line in lines:
                case = 'ef_search=%s, %s' % (line[0], kind)
                recall = float(line[1])
                bench.results.add(engine, data, 'query', 'time', case, 'us',
                                  spread(line[3:6]), recall, bench.runs)
                bench.results.add(engine, data, 'query', 'cpu', case, 'us',
                                  spread(line[6:9]), recall, bench.runs)
            lookups = [float(line[9]) for line in lines]
            bench.results.add(engine, data, 'query', 'lookup', kind, 'us', lookups)
    lookup_as_text(bench, data)


def lookup_as_text(bench, data):
    """The key's lookup with a parameter that is passed but not parsed."""
    for engine in bench.engines:
        line = engine.driver(
            'query', 'sql=SELECT 0 WHERE $1::text IS NULL', 'runs=%d' % bench.runs,
            'lookup=SELECT id FROM %s WHERE id = $2::int AND $1::text IS NOT NULL'
            % data.table, *data.options())[0]
        bench.results.add(engine, data, 'query', 'lookup', 'text, not parsed', 'us',
                          spread(line[9:12]), None, bench.runs)


def pages(bench, data):
    """Pages of the index that a query touches."""
    for engine in bench.engines:
        engine.searched(data)
        for line in engine.driver(
                'pages', 'table=' + data.table, 'sql=' + data.search(data.table),
                'set=hnsw.ef_search=' + ','.join(map(str, GRID)),
                'until=%g' % LAST_RECALL, *data.options()):
            case = 'ef_search=%s' % line[0]
            bench.results.add(engine, data, 'pages', 'index', case, 'pages',
                              float(line[3]), float(line[1]))
            bench.results.add(engine, data, 'pages', 'all', case, 'pages',
                              float(line[4]), float(line[1]))


def change(bench, data):
    """Insert, vacuum, and recall afterwards: one life of an index, several times."""
    for engine in bench.engines:
        engine.searched(data)
        insert_without_index(bench, engine, data)
        seen = {}
        for _ in range(bench.runs):
            for key, value in one_life(bench, engine, data).items():
                seen.setdefault(key, []).append(value)
        for (part, metric, case, unit), values in seen.items():
            bench.results.add(engine, data, part, metric, case, unit, values)


def insert_rows(engine, table, data, start):
    """INSERTED rows, one statement and one transaction each; means of a row."""
    line = engine.driver('insert', 'from=%d' % start, 'to=%d' % (start + INSERTED),
                         'sql=INSERT INTO %s VALUES ($1::int, $2)' % table, *data.options())[0]
    seconds, wal, cpu = [float(x) / INSERTED for x in line]
    return seconds * 1000, wal, cpu * 1000


def insert_without_index(bench, engine, data):
    """What the table and its key cost by themselves."""
    table = data.table + '_bare'
    start = data.rows - 2 * INSERTED
    engine.create(table, data)
    engine.load(table, data, 0, start)
    engine.sql('CHECKPOINT')
    ms, wal, cpu = insert_rows(engine, table, data, start)
    bench.results.add(engine, data, 'insert', 'time', 'no index', 'ms', ms)
    bench.results.add(engine, data, 'insert', 'cpu', 'no index', 'ms', cpu)
    bench.results.add(engine, data, 'insert', 'wal', 'no index', 'bytes', wal)
    engine.sql('DROP TABLE ' + table)


def one_life(bench, engine, data):
    """Build on most rows, insert the rest, delete a fifth, vacuum, put it back."""
    table = data.table + '_life'
    start = data.rows - 2 * INSERTED
    seen = {}
    engine.create(table, data)
    engine.load(table, data, 0, start)
    engine.sql('VACUUM ANALYZE ' + table, 'CHECKPOINT', engine.create_index(table, data))

    # Pages logged by the build need no full image now; after a checkpoint each
    # page does, once.
    for when, rows in (('pages logged before', start),
                       ('after a checkpoint', start + INSERTED)):
        ms, wal, cpu = insert_rows(engine, table, data, rows)
        seen['insert', 'time', when, 'ms'] = ms
        seen['insert', 'cpu', when, 'ms'] = cpu
        seen['insert', 'wal', when, 'bytes'] = wal
        engine.sql('CHECKPOINT')

    if bench.wants('vacuum', 'churn'):
        engine.sql('DELETE FROM %s WHERE id %% 5 = 0' % table, 'CHECKPOINT')
        seconds, wal, cpu = engine.timed('VACUUM (INDEX_CLEANUP ON, PARALLEL 0) ' + table)
        seen['vacuum', 'time', '20 % deleted', 's'] = seconds
        seen['vacuum', 'cpu', '20 % deleted', 's'] = cpu
        seen['vacuum', 'wal', '20 % deleted', 'MB'] = wal / 1e6
    if bench.wants('churn'):
        engine.sql('INSERT INTO %s SELECT * FROM %s WHERE id %% 5 = 0' %
                   (table, data.table), 'VACUUM ANALYZE ' + table)
        size = float(engine.sql("SELECT pg_relation_size('%s_v')" % table))
        seen['churn', 'size', 'index', 'MB'] = size / 1e6
        for name, searched in (('churned', table), ('fresh', data.table)):
            for line in engine.driver(
                    'query', 'runs=1', 'sql=' + data.search(searched),
                    'set=hnsw.ef_search=' + ','.join(map(str, CHURN_GRID)),
                    *data.options()):
                case = 'ef_search=%s, %s' % (line[0], name)
                seen['churn', 'recall', case, ''] = float(line[1])
    engine.sql('DROP TABLE ' + table)
    return seen


def exact(bench, data):
    """Sequential scan and sort, vectors in the row and out of it.

    Only rows of more than some 2,000 bytes are toasted, hence the filling.
    """
    for where, storage, filling in (('inline', 'PLAIN', 0), ('toasted', 'EXTERNAL', 600)):
        table = '%s_%s' % (data.table, where)
        for engine in bench.engines:
            engine.create(table, data, key=False)
            engine.sql('ALTER TABLE %s ALTER v SET STORAGE %s' % (table, storage))
            if filling:
                engine.sql("ALTER TABLE %s ADD filling text DEFAULT repeat('.', %d),"
                           " ALTER filling SET STORAGE PLAIN" % (table, filling))
            engine.load(table + ' (id, v)', data)
            engine.sql('VACUUM ANALYZE ' + table)
            engine.warm(table)
            line = engine.driver('query', 'sql=' + data.search(table),
                                 'nq=%d' % EXACT_QUERIES, 'runs=%d' % bench.runs,
                                 *data.options())[0]
            if float(line[1]) < 1:
                sys.exit('%s: the exact scan is not exact' % engine.name)
            for metric, fields in (('time', line[3:6]), ('cpu', line[6:9])):
                bench.results.add(engine, data, 'exact', metric, where, 'ms',
                                  [x / 1000 for x in spread(fields)], 1.0, bench.runs)
        for engine in bench.engines:
            engine.sql('DROP TABLE ' + table)


def parse(bench, data):
    """Reading vectors from text, many in one statement, less reading the text."""
    for engine in bench.engines:
        engine.searched(data)
        engine.sql('DROP TABLE IF EXISTS texts', 'CREATE TABLE texts (t text)',
                   'ALTER TABLE texts ALTER t SET STORAGE PLAIN',
                   'INSERT INTO texts SELECT v::text FROM %s LIMIT %d' % (data.table, PARSED))
        seen = []
        for function in ('vector_dims(t::vector)', 'octet_length(t)'):
            # the driver always passes a parameter
            seen.append(engine.driver(
                'query', 'sql=SELECT sum(%s) FROM texts WHERE $1::text <> \'\'' % function,
                'nq=%d' % EXACT_QUERIES, 'runs=%d' % bench.runs, *data.options())[0])
        for metric, field in (('time', 3), ('cpu', 6)):
            bench.results.add(engine, data, 'parse', metric,
                              'text to vector, %d numbers' % data.dim, 'us',
                              (float(seen[0][field]) - float(seen[1][field])) / PARSED,
                              None, bench.runs)
        engine.sql('DROP TABLE texts')


class InProcess:
    """hnswlib, in the shape of an engine."""

    name = 'hnswlib'
    server = 'none, in process'
    kernels = 'compiler, -march=native'
    settings = '1 thread'

    def __init__(self, version):
        self.version = version


def hnswlib(bench, data):
    """The same data in process, one thread."""
    engine = InProcess(bench.hnswlib_version)
    space = 'ip' if data.metric == 'cosine' else 'l2'
    for m, ef_construction in HNSWLIB:
        lines = bench.tools.output(
            [bench.tools.hnswlib, *data.files, str(data.dim), space, str(m),
             str(ef_construction), str(bench.runs),
             ','.join(str(ef) for ef in GRID if ef >= 10 and ef <= 400)]).splitlines()
        kind = 'M=%d, ef_construction=%d' % (m, ef_construction)
        bench.results.add(engine, data, 'hnswlib', 'build', kind, 's',
                          float(lines[0].split('\t')[1]))
        for line in lines[1:]:
            fields = line.split('\t')
            bench.results.add(engine, data, 'hnswlib', 'time',
                              'ef=%s, %s' % (fields[0], kind), 'us', spread(fields[2:5]),
                              float(fields[1]), bench.runs)


def parse_program(bench):
    """bench/parse: the parser against strtof, without a server."""
    print(bench.tools.output([bench.tools.parse]), end='', flush=True)


# In this order: build leaves what the searches need.
PARTS = [('build', build), ('query', query), ('pages', pages), ('change', change),
         ('exact', exact), ('parse', parse), ('hnswlib', hnswlib), ('memory', memory)]
CHANGES = ('insert', 'vacuum', 'churn')


class Bench:
    """What all parts share."""

    def __init__(self, arguments):
        self.parts = arguments.part
        self.runs = arguments.runs
        self.hnswlib_version = arguments.hnswlib_version
        self.tools = Tools(arguments.programs, arguments.psql)
        self.data = [
            DataSet('P', 384, 'cosine', '<=>', 'vector_cosine_ops', arguments.data),
            DataSet('F', 784, 'l2', '<->', 'vector_l2_ops', arguments.data)]
        self.data = [d for d in self.data if d.name in arguments.sets]
        self.ours = Engine('vector', arguments.ours, self.tools)
        self.engines = [self.ours]
        if arguments.peer:
            self.engines.append(Engine('pgvector', arguments.peer, self.tools))
            if self.engines[1].settings != self.ours.settings:
                sys.exit('the servers have different settings:\n%s\n%s' %
                         (self.ours.settings, self.engines[1].settings))
        self.results = Results(arguments.out, arguments.commit, arguments.machine)

    def wants(self, *parts):
        return any(part in self.parts for part in parts)

    def run(self):
        for name, part in PARTS:
            if name == 'change' and self.wants(*CHANGES) or self.wants(name):
                for data in self.data:
                    part(self, data)
        if self.wants('parse'):
            parse_program(self)


def main():
    parser = argparse.ArgumentParser()
    for name in ('data', 'programs', 'psql', 'ours', 'out', 'commit', 'machine',
                 'hnswlib-version'):
        parser.add_argument('--' + name, required=True)
    parser.add_argument('--peer', default='')
    parser.add_argument('--sets', default='PF')
    parser.add_argument('--runs', type=int, default=5)
    parser.add_argument('part', nargs='+',
                        choices=[name for name, _ in PARTS if name != 'change'] + list(CHANGES))
    Bench(parser.parse_args()).run()


if __name__ == '__main__':
    main()
