#!/usr/bin/python3
"""Write the data of bench/families as lines for COPY.

Usage: families-data.py list				name, dimensions and metrics of each family
       families-data.py FAMILY ROWS QUERIES [DATA]

A line is: kind, id, place, value.  Kind 'base' is a row; others are kinds of queries:
	near	from the distribution of the rows
	row		equal to a row
	between	in the middle of two rows
	far		ten times as far from the mean as a row is, in any direction
'place' is where a row stands in the sorted order of insertion: clusters one
after the other, or by the first principal dimension.  Everything follows from the
family's name; DATA is the directory of the real data.
"""
import gzip
import struct
import sys
import zlib

import numpy as np

MAX_ELEMENTS = 8_000_000            # of a table; rows are fewer in high dimensions


def clusters(rng, n, dim, count, spread):
    centers = np.random.default_rng(7).standard_normal((count, dim))
    label = rng.integers(count, size=n)
    return centers[label] + spread * rng.standard_normal((n, dim)), label


def gaussian(dim):
    return lambda rng, n: rng.standard_normal((n, dim))


def mean(dim):
    return lambda rng, n: rng.standard_normal((n, dim)) + 10


def clustered(dim, count, spread):
    return lambda rng, n: clusters(rng, n, dim, count or n // 5, spread)


def heavy(dim, factor):
    return lambda rng, n: rng.standard_normal((n, dim)) * np.where(np.arange(dim) < 4, factor, 1)


def low_rank(dim, rank):
    basis = np.random.default_rng(8).standard_normal((rank, dim))
    return lambda rng, n: rng.standard_normal((n, rank)) @ basis


def sift(rng, n):
    x, label = clusters(rng, n, 128, 200, 0.7)
    return np.clip(np.floor(np.exp(x) * 20), 0, 255), label


def one_of_two(rng, n):
    x = rng.standard_normal((n, 64))
    x[rng.permutation(n)[:n // 2]] = 0.5
    return x


def pairs(rng, n):
    x = rng.standard_normal((n - n // 2, 64))
    return np.concatenate([x, x])[:n]


def lengths(dim, count, sigma):
    def make(rng, n):
        x, label = clusters(rng, n, dim, count, 0.5)
        return x * rng.lognormal(0, sigma, (n, 1)), label
    return make


def two(dim):
    def make(rng, n):
        x = rng.standard_normal((n, dim))
        label = rng.integers(2, size=n)
        x[:, 0] += 1000 * label
        return x, label
    return make


def line(rng, n):
    return rng.standard_normal((n, 1)) * np.random.default_rng(9).standard_normal(32)


def decay(dim):
    return lambda rng, n: rng.standard_normal((n, dim)) / (1 + np.arange(dim))


def sphere(rng, n):
    x = rng.standard_normal((n, 64))
    return x / np.linalg.norm(x, axis=1, keepdims=True)


ALL = 'l2 cosine ip'
FAMILIES = {
    **{'gaussian%d' % d: (d, 'vector', ALL if d in (2, 4, 16, 64, 128, 768) else 'l2', gaussian(d))
       for d in (2, 3, 4, 8, 16, 32, 64, 100, 128, 200, 256, 257, 384, 768, 1536)},
    'gaussian3072': (3072, 'halfvec', 'l2', gaussian(3072)),
    'half64': (64, 'halfvec', ALL, gaussian(64)),
    'half384': (384, 'halfvec', ALL, gaussian(384)),
    'cube16': (16, 'vector', 'l2', lambda rng, n: rng.random((n, 16))),
    'cube64': (64, 'vector', ALL, lambda rng, n: rng.random((n, 64))),
    'tight10': (64, 'vector', ALL, clustered(64, 10, 0.05)),
    'loose10': (64, 'vector', ALL, clustered(64, 10, 0.5)),
    'tight1000': (64, 'vector', ALL, clustered(64, 1000, 0.05)),
    'loose1000': (64, 'vector', ALL, clustered(64, 1000, 0.5)),
    'tightmany': (64, 'vector', 'l2', clustered(64, 0, 0.05)),
    'loosemany': (64, 'vector', 'l2', clustered(64, 0, 0.5)),
    'tight1000_384': (384, 'vector', ALL, clustered(384, 1000, 0.05)),
    'loose1000_384': (384, 'vector', ALL, clustered(384, 1000, 0.5)),
    'sphere': (64, 'vector', ALL, sphere),
    'mean64': (64, 'vector', ALL, mean(64)),
    'mean384': (384, 'vector', ALL, mean(384)),
    'heavy10': (128, 'vector', ALL, heavy(128, 10)),
    'heavy100': (128, 'vector', ALL, heavy(128, 100)),
    'heavy10_384': (384, 'vector', ALL, heavy(384, 10)),
    'rank8': (768, 'vector', ALL, low_rank(768, 8)),
    'rank8_64': (64, 'vector', 'l2', low_rank(64, 8)),
    'binary64': (64, 'vector', ALL, lambda rng, n: rng.integers(2, size=(n, 64))),
    'binary256': (256, 'vector', 'l2', lambda rng, n: rng.random((n, 256)) < 0.1),
    'sift': (128, 'vector', ALL, sift),
    'histogram': (256, 'vector', ALL, lambda rng, n: rng.dirichlet(np.full(256, 0.1), n)),
    'halfequal': (64, 'vector', ALL, one_of_two),
    'pairs': (64, 'vector', 'l2', pairs),
    'nearequal': (64, 'vector', ALL, clustered(64, 200, 1e-4)),
    'nearequal384': (384, 'vector', 'l2', clustered(384, 200, 1e-4)),
    'two4': (4, 'vector', ALL, two(4)),
    'two64': (64, 'vector', 'l2', two(64)),
    'two384': (384, 'vector', 'l2', two(384)),
    'lengths16': (16, 'vector', 'ip cosine', lengths(16, 50, 0.5)),
    'lengths64': (64, 'vector', 'ip cosine', lengths(64, 1000, 0.5)),
    'lengths128': (128, 'vector', 'ip cosine', lengths(128, 50, 0.3)),
    'lengths384': (384, 'vector', 'ip cosine', lengths(384, 50, 1)),
    'equal': (16, 'vector', ALL, lambda rng, n: np.full((n, 16), 0.5)),
    'line': (32, 'vector', ALL, line),
    'grid': (3, 'vector', ALL, lambda rng, n: rng.integers(28, size=(n, 3))),
    'tiny': (64, 'vector', ALL, lambda rng, n: 1e-20 * rng.standard_normal((n, 64))),
    'huge': (64, 'vector', ALL, lambda rng, n: 1e15 * rng.standard_normal((n, 64))),
    'decay256': (256, 'vector', ALL, decay(256)),
    'decay768': (768, 'vector', ALL, decay(768)),
    'packages': (384, 'vector', ALL, None),
    'fmnist': (784, 'vector', ALL, None),
    'fmnist196': (196, 'vector', ALL, None),
}


def images(path):
    with gzip.open(path) as file:
        _, n, rows, columns = struct.unpack('>4i', file.read(16))
        return np.frombuffer(file.read(), np.uint8).reshape(n, rows, columns).astype('f4')


def real(family, data):
    if family == 'packages':
        return [np.load('%s/packages/%s.f16.npy' % (data, part)).astype('f4') for part in ('base', 'query')]
    both = [images('/usr/share/datasets/fashion-mnist/%s-images-idx3-ubyte.gz' % part) for part in ('train', 't10k')]
    if family == 'fmnist196':
        both = [x.reshape(-1, 14, 2, 14, 2).mean(axis=(2, 4)) for x in both]
    return [x.reshape(len(x), -1) for x in both]


def generate(family, rows, queries, data):
    """base, place, near"""
    dim, _, _, make = FAMILIES[family]
    rng = np.random.default_rng(zlib.crc32(family.encode()))
    rows = max(min(rows, MAX_ELEMENTS // dim), 100)
    if make is None:
        base, near = real(family, data)
        base = base[rng.permutation(len(base))[:rows]]
        near, label = near[:queries], None
    else:
        x = make(rng, rows + queries)
        x, label = x if isinstance(x, tuple) else (x, None)
        x = x.astype('f4')
        base, near = x[:rows], x[rows:]
        label = None if label is None else label[:rows]
    if label is None:
        some = base[:1000].astype('f8')
        some = (some - some.mean(axis=0)) / max(np.abs(some).max(), 1e-30)
        label = base @ np.linalg.svd(some, full_matrices=False)[2][0]
    return base, np.argsort(np.argsort(label, kind='stable')), near, rng


def main():
    if sys.argv[1] == 'list':
        for name, (dim, kind, metrics, _) in FAMILIES.items():
            print(name, dim, kind, metrics)
        return
    family, rows, queries = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    base, place, near, rng = generate(family, rows, queries, sys.argv[4] if len(sys.argv) > 4 else '')
    n, dim = base.shape
    middle = base.mean(axis=0, dtype='f8')
    radius = np.sqrt(((base.astype('f8') - middle) ** 2).sum(axis=1).mean())
    direction = rng.standard_normal((queries, dim))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    kinds = {'base': base, 'near': near, 'row': base[rng.integers(n, size=queries)],
             'between': (base[rng.integers(n, size=queries)] + base[rng.integers(n, size=queries)]) / 2,
             'far': middle + 10 * max(radius, 1e-30) * direction}
    for kind, values in kinds.items():
        for i, x in enumerate(values):
            print('%s\t%d\t%d\t[%s]' % (kind, i, place[i] if kind == 'base' else 0,
                                        ','.join('%.9g' % e for e in x.astype('f4'))))


main()
