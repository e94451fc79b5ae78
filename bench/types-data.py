#!/usr/bin/python3
"""Write the data of bench/types as lines for COPY: id, value.

Usage: types-data.py {sparse|bit|vector} {base|query} ROWS PACKAGES

sparse	synthetic, 30,522 dimensions, 100 elements or a few less: a row takes
	three quarters of them from the 150 terms of its topic, the rest from a
	Zipf distribution over all terms; 1 topic for 50 rows; lognormal weights
bit	1,024 signs of random projections of the packages data
vector	the packages data, 384 dimensions
"""
import sys
import numpy as np

DIM, ELEMENTS, FROM_TOPIC, TOPIC_TERMS, TOPICS = 30522, 100, 75, 150, 400


def zipf_terms(rng, order, n):
    """n terms, those early in 'order' more often."""
    return order[np.minimum((DIM ** rng.random(n)).astype(int) - 1, DIM - 1)]


def sparse_rows(part, rows):
    rng = np.random.default_rng(1)
    order = rng.permutation(DIM)
    topics = [(zipf_terms(rng, order, TOPIC_TERMS), rng.lognormal(0, 0.7, TOPIC_TERMS))
              for _ in range(TOPICS)]
    rng = np.random.default_rng(2 if part == 'base' else 3)
    for _ in range(rows):
        terms, weights = topics[rng.integers(TOPICS)]
        some = rng.choice(TOPIC_TERMS, FROM_TOPIC, replace=False)
        others = zipf_terms(rng, order, ELEMENTS - FROM_TOPIC)
        value = dict(zip(others, rng.lognormal(-0.5, 0.7, len(others))))
        value.update(zip(terms[some], weights[some] * rng.lognormal(0, 0.3, FROM_TOPIC)))
        yield '{%s}/%d' % (','.join('%d:%.5g' % (i + 1, x) for i, x in sorted(value.items())), DIM)


def packages(part, rows, directory):
    name = 'base.f16.npy' if part == 'base' else 'query.f16.npy'
    return np.load('%s/%s' % (directory, name))[:rows].astype('f4')


def vector_rows(part, rows, directory):
    for x in packages(part, rows, directory):
        yield '[%s]' % ','.join('%.7g' % e for e in x)


def bit_rows(part, rows, directory):
    planes = np.random.default_rng(4).standard_normal((384, 1024), dtype='f4')
    for signs in packages(part, rows, directory) @ planes > 0:
        yield (signs + np.uint8(ord('0'))).tobytes().decode()


def main():
    kind, part, rows, directory = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
    lines = {'sparse': lambda: sparse_rows(part, rows),
             'bit': lambda: bit_rows(part, rows, directory),
             'vector': lambda: vector_rows(part, rows, directory)}[kind]()
    for i, line in enumerate(lines):
        print('%d\t%s' % (i, line))


main()
