/*-------------------------------------------------------------------------
 *
 * hnswlib.cpp
 *	  hnswlib in process, one thread: what a query costs without a database.
 *
 *	hnswlib BASE QUERY TRUTH DIM l2|ip M EF_CONSTRUCTION RUNS EF1,EF2,...
 *
 * Files as for driver.c.  First line: build, and seconds.  Then a line for each
 * ef: ef, recall@10, and median, min and max of microseconds a query over the
 * runs.  Rows of unit length are searched by inner product, which then orders
 * like cosine.  As in driver.c, a row counts as found if its distance is not
 * above that of the k-th true one.
 *
 *-------------------------------------------------------------------------
 */
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <hnswlib/hnswlib.h>

static const int K = 10;
static const size_t MAX_QUERIES = 1000;

template <typename T>
static std::vector<T>
read_file(const char *path)
{
	std::ifstream f(path, std::ios::binary | std::ios::ate);

	if (!f)
	{
		fprintf(stderr, "hnswlib: cannot read %s\n", path);
		exit(1);
	}
	std::vector<T> data(size_t(f.tellg()) / sizeof(T));
	f.seekg(0);
	f.read(reinterpret_cast<char *>(data.data()), data.size() * sizeof(T));
	return data;
}

static double
now_us()
{
	using namespace std::chrono;
	return duration<double, std::micro>(steady_clock::now().time_since_epoch()).count();
}

static double
distance(const float *a, const float *b, int dim, bool ip)
{
	double sum = 0;

	for (int i = 0; i < dim; i++)
		sum += ip ? -double(a[i]) * b[i] : (double(a[i]) - b[i]) * (double(a[i]) - b[i]);
	return sum;
}

struct Data
{
	std::vector<float> base;
	std::vector<float> query;
	std::vector<int32_t> truth;
	int dim;
	bool ip;
	size_t nq;

	const float *row(size_t i) const { return &base[i * dim]; }
	const float *one(size_t q) const { return &query[q * dim]; }

	/* the distance of the k-th true row, with a little room for rounding */
	double limit(size_t q) const
	{
		double d = distance(one(q), row(truth[2 + q * truth[1] + K - 1]), dim, ip);

		return d + 1e-6 * fabs(d) + 1e-7;
	}
};

/* one pass over the queries; mean microseconds, and recall */
static double
pass(hnswlib::HierarchicalNSW<float> &index, const Data &data, double *recall)
{
	double us = 0;
	long found = 0;

	for (size_t q = 0; q < data.nq; q++)
	{
		double start = now_us();
		auto answer = index.searchKnn(data.one(q), K);

		us += now_us() - start;
		for (; !answer.empty(); answer.pop())
			found += distance(data.one(q), data.row(answer.top().second),
							  data.dim, data.ip) <= data.limit(q);
	}
	*recall = double(found) / K / data.nq;
	return us / data.nq;
}

int
main(int argc, char **argv)
{
	if (argc != 10)
	{
		fprintf(stderr, "usage: hnswlib BASE QUERY TRUTH DIM l2|ip M EF_CONSTRUCTION RUNS EFS\n");
		return 1;
	}

	Data data = {read_file<float>(argv[1]), read_file<float>(argv[2]),
		read_file<int32_t>(argv[3]), atoi(argv[4]), strcmp(argv[5], "ip") == 0, 0};
	size_t n = data.base.size() / data.dim;
	int runs = atoi(argv[8]);

	data.nq = std::min({MAX_QUERIES, data.query.size() / data.dim, size_t(data.truth[0])});

	std::unique_ptr<hnswlib::SpaceInterface<float>> space;
	if (data.ip)
		space.reset(new hnswlib::InnerProductSpace(data.dim));
	else
		space.reset(new hnswlib::L2Space(data.dim));

	double start = now_us();
	hnswlib::HierarchicalNSW<float> index(space.get(), n, atoi(argv[6]), atoi(argv[7]));
	for (size_t i = 0; i < n; i++)
		index.addPoint(data.row(i), i);
	printf("build\t%.3f\n", (now_us() - start) / 1e6);
	fflush(stdout);

	for (char *ef = strtok(argv[9], ","); ef; ef = strtok(nullptr, ","))
	{
		std::vector<double> times;
		double recall;

		index.setEf(atoi(ef));
		pass(index, data, &recall);		/* warms */
		for (int r = 0; r < runs; r++)
			times.push_back(pass(index, data, &recall));
		std::sort(times.begin(), times.end());
		printf("%s\t%.5f\t%.2f\t%.2f\t%.2f\n", ef, recall, times[runs / 2],
			   times.front(), times.back());
		fflush(stdout);
	}
	return 0;
}
