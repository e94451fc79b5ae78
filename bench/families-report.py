#!/usr/bin/python3
"""Print the results of bench/families: the misses, then all."""
import csv
import sys


def main():
    found, made = {}, {}
    for engine, family, metric, way, kind, k, ef, recall, us, pages, least in csv.reader(open(sys.argv[1])):
        if kind == 'make':
            made[family, metric, way, engine] = float(us) / 1e6
        else:
            found.setdefault((family, metric, way, kind, int(k)), {}).setdefault(engine, {})[int(ef)] = (
                float(recall), float(us), float(pages), float(least))
    misses = []
    print('recall / us / pages at each ef_search')
    for key, engines in found.items():
        family, metric, way, kind, k = key
        ours = engines.get('vector', {})
        theirs = engines.get('pgvector') or found.get((family, metric, 'build', kind, k), {}).get('pgvector', {})
        print('%-14s %-6s %-6s %-7s %3d ' % key + '   '.join(
            '%d %.3f %.0f %.0f' % (ef, *v[:3]) for ef, v in ours.items()))
        if theirs:
            print('%43s' % 'pgvector ' + '   '.join('%d %.3f %.0f %.0f' % (ef, *v[:3]) for ef, v in theirs.items()))
        for ef in (40,) if k == 10 else (100,):
            if ef not in ours:
                continue
            a, b = ours[ef], theirs.get(ef)
            if (b is None and a[0] < 0.95) or (b is not None and (
                    a[0] < b[0] - 0.01 or (a[0] < 0.95 <= b[0]) or (a[1] > b[1] and a[0] <= b[0]))):
                misses.append((key, ef, a, b))
    print('\nCPU seconds: family, metric, way, vector, pgvector')
    for (family, metric, way, engine), seconds in made.items():
        if engine == 'vector':
            theirs = made.get((family, metric, way, 'pgvector'))
            print('%-14s %-6s %-6s %8.2f %8s' % (family, metric, way, seconds, '%.2f' % theirs if theirs else '-'))
    print('\nmisses: recall, us, pages of vector and pgvector')
    for (family, metric, way, kind, k), ef, a, b in misses:
        print('%-14s %-6s %-6s %-7s k %3d ef %3d   %.3f %6.0f %5.0f   %s' % (
            family, metric, way, kind, k, ef, *a[:3], '%.3f %6.0f %5.0f' % b[:3] if b else '-'))


main()
