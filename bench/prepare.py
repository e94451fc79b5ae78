#!/usr/bin/python3
"""Write the benchmark's data as plain binary files (see datasets.md).

Usage: prepare.py PACKAGES FASHION OUT

PACKAGES is the directory of the packages data, FASHION that of Debian's
dataset-fashion-mnist.  Into OUT go, for the data sets P and F,

    P.base  P.query   float32 rows, little-endian, no header
    P.truth           int32 nq, int32 k, then int32 ids, nearest first

and what is there already is kept.  The truth is exact: candidates by float32
products, then ordered in float64.
"""
import gzip
import os
import sys

import numpy as np

NEIGHBOURS = 100
SPARE = 50          # candidates beyond those, for ties in float32
BLOCK = 100         # queries at a time


def packages(path):
    """Rows and queries: embeddings, normalised."""
    arrays = []
    for name in ('base.f16.npy', 'query.f16.npy'):
        rows = np.load(os.path.join(path, name)).astype('f4')
        arrays.append(rows / np.linalg.norm(rows, axis=1, keepdims=True))
    return arrays


def fashion(path):
    """Rows and queries: grey values of 28 x 28 pictures."""
    arrays = []
    for name in ('train-images-idx3-ubyte.gz', 't10k-images-idx3-ubyte.gz'):
        with gzip.open(os.path.join(path, name)) as f:
            pictures = np.frombuffer(f.read(), 'u1', offset=16)
        arrays.append(pictures.reshape(-1, 784).astype('f4'))
    return arrays[0], arrays[1][:1000]


def nearest(base, query):
    """Ids of the nearest rows by L2; of unit rows that is cosine as well."""
    ids = np.empty((len(query), NEIGHBOURS), 'i4')
    squares = (base.astype('f8') ** 2).sum(axis=1).astype('f4')
    for start in range(0, len(query), BLOCK):
        block = query[start:start + BLOCK]
        near = squares[None] - 2 * (block @ base.T)
        found = np.argpartition(near, NEIGHBOURS + SPARE, axis=1)
        for i, one in enumerate(block):
            some = found[i, :NEIGHBOURS + SPARE]
            far = ((base[some].astype('f8') - one.astype('f8')) ** 2).sum(axis=1)
            ids[start + i] = some[np.lexsort((some, far))[:NEIGHBOURS]]
    return ids


def write(path, *arrays):
    """Write arrays one after the other; the file appears when it is complete."""
    with open(path + '.part', 'wb') as f:
        for array in arrays:
            array.tofile(f)
    os.rename(path + '.part', path)


def main():
    source = {'P': (packages, sys.argv[1]), 'F': (fashion, sys.argv[2])}
    out = sys.argv[3]
    os.makedirs(out, exist_ok=True)
    for name, (read, path) in source.items():
        to = os.path.join(out, name)
        if os.path.exists(to + '.truth'):       # the last to be written
            continue
        print('preparing', name, flush=True)
        base, query = read(path)
        write(to + '.base', base.astype('<f4'))
        write(to + '.query', query.astype('<f4'))
        truth = nearest(base, query)
        write(to + '.truth', np.array(truth.shape, '<i4'), truth.astype('<i4'))


if __name__ == '__main__':
    main()
