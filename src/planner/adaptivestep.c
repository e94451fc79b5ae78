/*-------------------------------------------------------------------------
 *
 * adaptivestep.c
 *	  When an adaptive scan has walked enough: the arithmetic.
 *
 * How many rows the walk must still visit follows from the share that has
 * passed the filter.  So much for going on; beside it stand the prices of what
 * the scan could do instead.  As in ski rental, whoever changes over when the
 * rent has reached the price pays at most twice what was best; and there is no
 * need to wait so long when it is plain that it will.
 *
 * All prices are in hops of the walk (README of src/hnsw, "Cost model").
 *
 * IDENTIFICATION
 *	  src/planner/adaptivestep.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "planner/adaptivestate.h"

/*
 * A walk is judged from this row on: those of the first look-ahead have been
 * paid for when the first of them comes.
 */
#define MIN_VISITS			12

/*
 * The planner's selectivity counts as much as this many rows seen; but it says
 * nothing of the rows near the query, so the more has been paid for rows that
 * do, the less it counts: 12 when that is an eighth of the exact plan's price.
 */
#define PRIOR_ROWS			20.0
#define PRIOR_FADE			1.5

/*
 * The price of the exact plan is certain, that of a sweep a guess of how many
 * rows will fail: so much better it must look.
 */
#define SWEEP_RISK			3.0

/* What has been paid, and what is still to pay, one way or the other. */
typedef struct Outlook
{
	double		paid;
	double		by_walk;		/* going on */
	double		by_sweep;		/* a sweep of all nodes instead of the walk */
	double		by_exact;		/* the exact plan */
	double		saved;			/* in heap rows, if the bitmap were there */
} Outlook;

/*
 * Rows that the heap is read for, for so many that pass: members of the bitmap
 * fail only if it does not cover all of the filter.
 */
static double
members_to_read(const AdaptivePlan *plan, double wanted)
{
	return wanted * Max(plan->member_share / plan->selectivity, 1);
}

static void
look_ahead(const AdaptiveScan *so, const HnswScanSpent *spent, Outlook *out)
{
	const AdaptivePlan *plan = &so->plan;
	double		wanted = plan->limit - so->passed;
	double		prior = Min(PRIOR_ROWS, PRIOR_FADE * out->by_exact / out->paid);
	double		pass_rate = (so->passed + prior * plan->selectivity) /
		(so->visited + prior);
	double		rows = wanted / pass_rate;

	out->by_walk = (spent->hops / so->visited + plan->row_price) * rows;
	out->by_sweep = plan->flat_price +
		(plan->swept_price + plan->row_price) * rows;
	if (spent->swept)
	{
		out->by_sweep -= plan->flat_price;
		out->by_walk = out->by_sweep;
	}
	out->saved = plan->row_price * (rows - members_to_read(plan, wanted));
}

/*
 * Is it time to leave a walk that still costs 'to_pay', for something of this
 * price?  When it has cost as much, unless it needs less than half of that again;
 * and when an eighth of it shows that it will cost twice as much.
 */
static bool
is_time(double paid, double to_pay, double price)
{
	if (paid >= price)
		return to_pay > price / 2;
	return paid >= price / 8 && to_pay > 2 * price;
}

/*
 * The bitmap, only to spare the walk heap rows: if the walk does well, which it
 * does not while nothing passes; if so many are saved; and if it is not so
 * small that reading all of its rows were cheaper.
 */
static bool
should_restrict(const AdaptiveScan *so, const Outlook *o)
{
	double		price = so->plan.bitmap_price;
	double		lost = so->plan.row_price * (so->visited - so->passed);

	if (!so->plan.has_bitmap || so->no_members || so->passed == 0 ||
		o->by_walk - o->saved > o->by_exact ||
		so->plan.exact_price < so->plan.flat_price)
		return false;
	return is_time(lost, o->saved, price);
}

/* Nobody knows how many rows will be asked for: ski rental, twice. */
static AdaptiveStep
without_limit(const AdaptiveScan *so, const HnswScanSpent *spent, double paid)
{
	if (paid >= so->plan.exact_price)
		return ADAPTIVE_CHANGE;
	if (!spent->swept && paid >= so->plan.flat_price)
		return ADAPTIVE_SWEEP;
	return ADAPTIVE_GO_ON;
}

AdaptiveStep
adaptive_next_step(const AdaptiveScan *so)
{
	const AdaptivePlan *plan = &so->plan;
	HnswScanSpent spent;
	Outlook		o;
	bool		sweep;

	/* a walk with a bitmap ends in a sweep by itself, when that is cheaper */
	if (so->walk_on || so->members != NULL || so->visited < MIN_VISITS)
		return ADAPTIVE_GO_ON;
	adaptive_walk_spent(so, &spent);

	o.paid = spent.hops + spent.sweep + plan->row_price * so->visited;
	o.by_exact = plan->exact_price;
	if (plan->limit <= so->passed)
		return without_limit(so, &spent, o.paid);
	look_ahead(so, &spent, &o);

	/* where it has swept, by_walk means going on with that */
	sweep = !spent.swept && o.by_exact >= SWEEP_RISK * o.by_sweep;
	if (is_time(o.paid, o.by_walk, sweep ? o.by_sweep : o.by_exact))
		return sweep ? ADAPTIVE_SWEEP : ADAPTIVE_CHANGE;
	return should_restrict(so, &o) ? ADAPTIVE_RESTRICT : ADAPTIVE_GO_ON;
}
