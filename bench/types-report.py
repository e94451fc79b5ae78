#!/usr/bin/python3
"""Print the results of bench/types: the curves, and the engines side by side."""
import csv
import math
import sys

RECALLS = [0.90, 0.95, 0.99]


def time_at(curve, recall):
    """Time at a recall, interpolated; None outside the curve."""
    for (r0, t0), (r1, t1) in zip(curve, curve[1:]):
        if r0 <= recall <= r1 and r0 < r1:
            m, m0, m1 = (math.log(max(1 - r, 1e-4)) for r in (recall, r0, r1))
            share = (m - m0) / (m1 - m0) if m1 != m0 else 0
            return math.exp(math.log(t0) + share * (math.log(t1) - math.log(t0)))
    return None


def main():
    results = {}
    for engine, case, what, ef, value, recall in csv.reader(open(sys.argv[1])):
        if what == 'query':
            results.setdefault((case, 'curve'), {}).setdefault(engine, []).append(
                (float(recall), float(value), int(ef)))
        else:
            results.setdefault((case, what), {})[engine] = float(value)
    cases = list(dict.fromkeys(case for case, _ in results))
    print('%-16s%-14s%12s%12s%8s' % ('', '', 'vector', 'pgvector', 'ratio'))
    for case in cases:
        lines = [(what, unit, results[case, what]) for what, unit in (
            ('build', 's'), ('insert', 's'), ('vacuum', 's'), ('size', 'MB')) if (case, what) in results]
        curves = {engine: sorted((r, t) for r, t, _ in points)
                  for engine, points in results.get((case, 'curve'), {}).items()}
        for recall in RECALLS:
            lines.append(('at %.2f' % recall, 'us', {e: time_at(c, recall) for e, c in curves.items()}))
        for what, unit, values in lines:
            ours, peers = values.get('vector'), values.get('pgvector')
            print('%-16s%-14s%12s%12s%8s' % (
                case, '%s, %s' % (what, unit), *('%.4g' % x if x else '-' for x in (ours, peers)),
                '%.2f' % (peers / ours) if ours and peers else ''))
        for engine, points in results.get((case, 'curve'), {}).items():
            print('%16s%s: %s' % ('', engine, '  '.join(
                '%d %.3f %.0f' % (ef, r, t) for r, t, ef in sorted(points, key=lambda p: p[2]))))


main()
