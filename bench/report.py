#!/usr/bin/python3
"""Print the table of a results file: report.py FILE.csv

First the curves, recall and time for each setting; then each mark, the ratio
it is about and what was reached.  Equal recall means: each engine's own curve,
interpolated at the recall named (logarithm of time over logarithm of misses);
"<=" where even the smallest setting finds more than that, and then its time is
taken; "-" where the curve does not get there.
"""
import csv
import math
import sys

SETS = ['P', 'F']
TARGETS = [0.95, 0.99, 0.998]


class Curve:
    """Points (recall, value) of one engine, in the order of the settings."""

    def __init__(self, points):
        self.points = points

    def best(self):
        return max(recall for recall, _ in self.points) if self.points else 0

    def at(self, target):
        """The value where the curve reaches a recall; (None, '') if it does not."""
        before = None
        for recall, value in self.points:
            if recall >= target:
                if before is None:
                    lowest = min(v for r, v in self.points if r >= target)
                    return lowest, '<='
                return interpolate(before, (recall, value), target), ''
            # a setting that returns fewer rows than asked for is no point
            if recall > 0.5:
                before = (recall, value)
        return None, ''


def interpolate(low, high, target):
    misses = [math.log(max(1 - recall, 1e-6)) for recall in (low[0], high[0], target)]
    share = (misses[2] - misses[0]) / (misses[1] - misses[0])
    return math.exp(math.log(low[1]) + share * (math.log(high[1]) - math.log(low[1])))


class Results:
    """The rows of a file, looked up by what they measure."""

    def __init__(self, path):
        with open(path, newline='') as f:
            self.rows = list(csv.DictReader(f))

    def find(self, **fields):
        return [row for row in self.rows
                if all(row[key] == value for key, value in fields.items())]

    def value(self, engine, data, part, metric, case, column='value'):
        rows = self.find(engine=engine, data=data, part=part, metric=metric, case=case)
        return float(rows[0][column]) if rows and rows[0][column] else None

    def curve(self, engine, data, part='query', metric='time', kind='text, 1 client'):
        """Points of one kind; the setting comes first in a case."""
        points = []
        for row in self.find(engine=engine, data=data, part=part, metric=metric):
            setting, _, rest = row['case'].partition(', ')
            if setting.startswith('ef') and rest == kind:
                points.append((float(row['recall']), float(row['value'])))
        return Curve(points)

    def settings(self, engine, data, part):
        """Settings of a part, in order, each once."""
        seen = []
        for row in self.find(engine=engine, data=data, part=part):
            setting = row['case'].partition(', ')[0]
            if setting.startswith('ef') and setting not in seen:
                seen.append(setting)
        return seen


def number(value, digits=3):
    if value is None:
        return '-'
    if value >= 100:
        return '%.0f' % value
    return '%.*g' % (digits, value)


def print_head(results):
    """What was measured, with what."""
    seen = []
    for row in results.rows:
        line = (row['engine'], row['version'], row['server'], row['kernels'], row['settings'])
        if line not in seen:
            seen.append(line)
            print('%s %s, server %s%s\n    %s' %
                  (line[0], line[1], line[2], line[3] and ' (%s)' % line[3], line[4]))
    loads = [float(row['load']) for row in results.rows]
    if loads:
        print('commit %s, machine %s, load while measuring %.1f to %.1f' %
              (results.rows[0]['commit'], results.rows[0]['machine'], min(loads), max(loads)))


def print_curves(results):
    """Recall and microseconds for each setting of each engine."""
    kinds = ['text, 1 client', 'binary, 1 client', 'text, 2 clients']
    for data in SETS:
        for engine in ('vector', 'pgvector'):
            settings = results.settings(engine, data, 'query')
            if not settings:
                continue
            print('\n%s, %s: recall@10 and us a query (median, min to max)' % (engine, data))
            print('%-16s%8s  %-24s%10s%10s%12s%8s' %
                  ('', 'recall', 'text', 'its CPU', 'binary', '2 clients', 'pages'))
            for setting in settings:
                text = results.find(engine=engine, data=data, part='query', metric='time',
                                    case=setting + ', ' + kinds[0])
                if not text:
                    continue
                text = text[0]
                others = [results.value(engine, data, 'query', metric, setting + ', ' + kind)
                          for metric, kind in (('cpu', kinds[0]), ('time', kinds[1]),
                                               ('time', kinds[2]))]
                others.append(results.value(engine, data, 'pages', 'index', setting))
                times = '%s (%s to %s)' % tuple(
                    number(float(text[c])) for c in ('value', 'min', 'max'))
                print('%-16s%8s  %-24s%10s%10s%12s%8s' %
                      (setting, text['recall'][:6], times, *map(number, others)))
            for kind in kinds + ['text, not parsed']:
                print_lookup(results.value(engine, data, 'query', 'lookup', kind), kind)


def print_lookup(value, kind):
    """The key's lookup beside the queries of a kind, if it was measured."""
    if value is not None:
        print('%-40s%8s us' % ('key lookup, ' + kind, number(value)))


def print_hnswlib(results):
    for data in SETS:
        for kind in ('M=16, ef_construction=200', 'M=16, ef_construction=64'):
            points = results.curve('hnswlib', data, 'hnswlib', 'time', kind).points
            if points:
                print('\nhnswlib, %s, %s: build %s s; recall us:' % (data, kind, number(
                    results.value('hnswlib', data, 'hnswlib', 'build', kind))))
                print('    ' + '  '.join('%.4f %s' % (r, number(v)) for r, v in points))


class Marks:
    """The table of marks: what, ours, the peer's, ratio, and the mark."""

    def __init__(self, results):
        self.results = results
        self.missed = 0
        print('\n%-52s%12s%12s%9s  %s' % ('', 'ours', 'pgvector', 'ratio', 'mark'))

    def line(self, what, ours, peer, ratio, mark, reached, note=''):
        if ours == peer == '-':     # not measured
            return
        verdict = '' if reached is None else ('reached' if reached else 'MISSED')
        self.missed += reached is False
        print('%-52s%12s%12s%9s  %-10s%s %s' %
              (what, ours, peer, '-' if ratio is None else '%.2f' % ratio, mark, verdict, note))

    def faster(self, what, ours, peer, mark, notes=('', '')):
        """The peer's value over ours is to be at least the mark."""
        ratio = peer / ours if ours and peer else None
        self.line(what, notes[0] + number(ours), notes[1] + number(peer), ratio, '>= %gx' % mark,
                  None if ratio is None else ratio >= mark)

    def smaller(self, what, ours, peer, mark):
        """Our value over the peer's is to be at most the mark."""
        ratio = ours / peer if ours and peer else None
        self.line(what, number(ours), number(peer), ratio, '<= %gx' % mark,
                  None if ratio is None else ratio <= mark)

    def at_most(self, what, ours, peer, mark):
        """Our value is to be at most the mark."""
        self.line(what, number(ours), number(peer), None, '<= %g' % mark,
                  None if ours is None else ours <= mark)

    def both(self, data, part, metric, case):
        return [self.results.value(engine, data, part, metric, case)
                for engine in ('vector', 'pgvector')]


def query_marks(marks, data, factors):
    results = marks.results
    for metric, name in (('time', 'us'), ('cpu', 'CPU us')):
        curves = [results.curve(engine, data, 'query', metric) for engine in ('vector', 'pgvector')]
        if not curves[0].points:
            return
        for target in (0.95, 0.99):
            (ours, note), (peer, peer_note) = [curve.at(target) for curve in curves]
            marks.faster('%s query at recall %g, %s' % (data, target, name),
                         ours, peer, factors[target], (note, peer_note))
        ours, note = curves[0].at(0.998)
        if data == 'P':
            peer, peer_note = curves[1].at(0.997)
            marks.faster('P query at .998 against pgvector at .997, ' + name, ours, peer, 10,
                         (note, peer_note))
        else:
            marks.line('F query at recall 0.998, ' + name, number(ours),
                       number(curves[1].at(0.998)[0]), None, 'reached', ours is not None)
    ours = results.curve('vector', data).at(0.99)[0]
    lookup = results.value('vector', data, 'query', 'lookup', 'text, 1 client')
    ratio = ours / lookup if ours and lookup else None
    marks.line('%s query at .99 against key lookup, us' % data, number(ours), number(lookup), ratio,
               '<= 3x', None if ratio is None else ratio <= 3, '(second column: lookup)')
    defaults = 'M=16, ef_construction=200'
    there = results.curve('hnswlib', data, 'hnswlib', 'time', defaults).at(0.99)[0]
    if there:
        marks.line('%s query at .99 against hnswlib in process' % data, number(ours), number(there),
                   ours and ours / there, '', None, '(second column: hnswlib)')


def change_marks(marks, data, size_mark):
    results = marks.results
    build = marks.both(data, 'build', 'time', 'default options, 2 processes')
    marks.faster(data + ' build, 2 processes, s', *build, 8)
    for row in results.find(engine='vector', data=data, part='memory', metric='time'):
        tenth = float(row['value'])
        ratio = tenth / build[0] if build[0] else None
        marks.line(data + ' build with a tenth of the memory, s', number(tenth),
                   number(build[0]), ratio, '<= 3x', None if ratio is None else ratio <= 3,
                   '(second column: in memory)')
    marks.smaller(data + ' index size, MB', *marks.both(data, 'build', 'size', 'index'), size_mark)
    for case in ('after a checkpoint', 'pages logged before'):
        marks.faster('%s insert, ms a row, %s' % (data, case),
                     *marks.both(data, 'insert', 'time', case), 5)
        marks.smaller('%s insert, WAL bytes a row, %s' % (data, case),
                      *marks.both(data, 'insert', 'wal', case), 0.5)
        marks.faster('%s insert, CPU ms a row, %s' % (data, case),
                     *marks.both(data, 'insert', 'cpu', case), 5)
    for metric, unit in (('time', 's'), ('cpu', 'CPU s')):
        marks.faster('%s vacuum, 20 %% deleted, %s' % (data, unit),
                     *marks.both(data, 'vacuum', metric, '20 % deleted'), 15)
    churn_mark(marks, data)


def churn_mark(marks, data):
    """The greatest loss of recall against the fresh build, over the settings."""
    losses = {}
    for engine in ('vector', 'pgvector'):
        for row in marks.results.find(engine=engine, data=data, part='churn', metric='recall'):
            setting, _, which = row['case'].partition(', ')
            losses.setdefault(engine, {}).setdefault(setting, {})[which] = float(row['value'])
    worst = {engine: max(two['fresh'] - two['churned'] for two in settings.values())
             for engine, settings in losses.items()}
    if 'vector' in worst:
        marks.line(data + ' recall lost by 20 % deleted and inserted',
                   *('%.4f' % worst[engine] if engine in worst else '-'
                     for engine in ('vector', 'pgvector')),
                   None, '<= .005', worst['vector'] <= 0.005)


def scan_marks(marks, data):
    for target, mark in ((0.95, 60), (0.99, 100)):
        ours, peer = [marks.results.curve(engine, data, 'pages', 'index', '').at(target)[0]
                      for engine in ('vector', 'pgvector')]
        marks.at_most('%s pages of the index a query at %g' % (data, target), ours, peer, mark)
    for where in ('inline', 'toasted'):
        for metric, unit in (('time', 'ms'), ('cpu', 'CPU ms')):
            marks.faster('%s exact scan, %s, %s' % (data, where, unit),
                         *marks.both(data, 'exact', metric, where), 1.5)
    for row in marks.results.find(engine='vector', data=data, part='parse', metric='cpu'):
        marks.faster('%s vector from text, CPU us' % data,
                     *marks.both(data, 'parse', 'cpu', row['case']), 4)


def main():
    results = Results(sys.argv[1])
    print_head(results)
    print_curves(results)
    print_hnswlib(results)
    marks = Marks(results)
    for data, factors, size in (('P', {0.95: 4, 0.99: 8}, 1.35), ('F', {0.95: 3, 0.99: 4}, 1.0)):
        if results.find(data=data):
            query_marks(marks, data, factors)
            change_marks(marks, data, size)
            scan_marks(marks, data)
    print('\n%d marks missed' % marks.missed)


if __name__ == '__main__':
    main()
