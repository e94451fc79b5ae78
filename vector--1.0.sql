-- vector--1.0.sql
--   Everything SQL sees of the extension: the contract, in a fixed order.
--   Objects are relocatable; no body depends on search_path.

\echo Use "CREATE EXTENSION vector" to load this file. \quit

-- ---------------------------------------------------------------------------
-- types
-- ---------------------------------------------------------------------------

-- vector(n): n float32 numbers, 1 <= n <= 16000, all finite
--   Text:   [1,2.5,3]; out is the shortest text that reads back the same.
--   Binary: int16 n, int16 0, n float4, big-endian.
--   Size:   4 n + 8 bytes.
CREATE TYPE vector;

-- vector_in(text, oid, typmod) -> vector
--   Shapes: 1 to 16000 elements; exactly typmod, if that is not -1.
--   Errors: invalid_text_representation; numeric_value_out_of_range beyond
--   float32; data_exception for NaN, infinity, wrong dimensions;
--   program_limit_exceeded above 16000.
CREATE FUNCTION vector_in(cstring, oid, integer) RETURNS vector
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_in(cstring, oid, integer) IS 'I/O';

CREATE FUNCTION vector_out(vector) RETURNS cstring
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_out(vector) IS 'I/O';

CREATE FUNCTION vector_typmod_in(cstring[]) RETURNS integer
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_typmod_in(cstring[]) IS 'I/O typmod';

CREATE FUNCTION vector_recv(internal, oid, integer) RETURNS vector
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_recv(internal, oid, integer) IS 'I/O';

CREATE FUNCTION vector_send(vector) RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_send(vector) IS 'I/O';

CREATE TYPE vector (
	INPUT = vector_in,
	OUTPUT = vector_out,
	TYPMOD_IN = vector_typmod_in,
	RECEIVE = vector_recv,
	SEND = vector_send,
	STORAGE = external
);
COMMENT ON TYPE vector IS 'list of float32 numbers, of 1 to 16000 dimensions';

-- ---------------------------------------------------------------------------
-- functions: distances
--   Shapes: equal dimensions.   Errors: data_exception if they differ.
--   Error:  sums in float32, the last step in float64; a sum beyond float32
--   gives infinity or NaN.
-- ---------------------------------------------------------------------------

-- l2_distance(a vector, b vector) -> float8
--   sqrt(sum (a_i - b_i)^2)
CREATE FUNCTION l2_distance(vector, vector) RETURNS float8
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION l2_distance(vector, vector) IS 'Euclidean distance';

-- inner_product(a vector, b vector) -> float8
--   <a,b> = sum a_i b_i
CREATE FUNCTION inner_product(vector, vector) RETURNS float8
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION inner_product(vector, vector) IS 'inner product';

-- cosine_distance(a vector, b vector) -> float8
--   1 - <a,b> / (|a| |b|), in [0, 2].  NaN if either vector is all zeros.
CREATE FUNCTION cosine_distance(vector, vector) RETURNS float8
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION cosine_distance(vector, vector) IS 'cosine distance';

-- l1_distance(a vector, b vector) -> float8
--   sum |a_i - b_i|
CREATE FUNCTION l1_distance(vector, vector) RETURNS float8
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION l1_distance(vector, vector) IS 'taxicab distance';

-- ---------------------------------------------------------------------------
-- functions: properties and parts
-- ---------------------------------------------------------------------------

-- vector_dims(v vector) -> integer
--   The number of dimensions; reads only the head of a stored vector.
CREATE FUNCTION vector_dims(vector) RETURNS integer
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_dims(vector) IS 'number of dimensions';

-- vector_norm(v vector) -> float8
--   |v| = sqrt(sum v_i^2), in float64 throughout.
CREATE FUNCTION vector_norm(vector) RETURNS float8
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_norm(vector) IS 'Euclidean norm';

-- l2_normalize(v vector) -> vector
--   v / |v|; a zero vector stays as it is.
CREATE FUNCTION l2_normalize(vector) RETURNS vector
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION l2_normalize(vector) IS 'vector of norm 1 in the same direction';

-- binary_quantize(v vector) -> bit
--   Bit i is 1 if v_i > 0; the first element is the leftmost bit.
--   Shapes: as many bits as dimensions, without a length in the type.
CREATE FUNCTION binary_quantize(vector) RETURNS bit
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION binary_quantize(vector) IS 'which elements are positive';

-- subvector(v vector, start integer, count integer) -> vector
--   Elements start to start + count - 1, counted from 1, as far as they exist.
--   Errors: data_exception if none does.
CREATE FUNCTION subvector(vector, integer, integer) RETURNS vector
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION subvector(vector, integer, integer) IS 'part of a vector';

-- ---------------------------------------------------------------------------
-- functions: arithmetic
--   Shapes: equal dimensions, except for vector_concat.
--   Errors: data_exception if they differ; numeric_value_out_of_range if an
--   element of the result is beyond float32.
-- ---------------------------------------------------------------------------

-- vector_add(a vector, b vector) -> vector
--   a_i + b_i
CREATE FUNCTION vector_add(vector, vector) RETURNS vector
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_add(vector, vector) IS 'element-wise sum';

-- vector_sub(a vector, b vector) -> vector
--   a_i - b_i
CREATE FUNCTION vector_sub(vector, vector) RETURNS vector
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_sub(vector, vector) IS 'element-wise difference';

-- vector_mul(a vector, b vector) -> vector
--   a_i b_i
--   Errors: numeric_value_out_of_range also if a product of two numbers that
--   are not zero is.
CREATE FUNCTION vector_mul(vector, vector) RETURNS vector
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_mul(vector, vector) IS 'element-wise product';

-- vector_concat(a vector, b vector) -> vector
--   The elements of a, then those of b.
--   Errors: program_limit_exceeded above 16000 dimensions.
CREATE FUNCTION vector_concat(vector, vector) RETURNS vector
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_concat(vector, vector) IS 'concatenation';

-- ---------------------------------------------------------------------------
-- functions: comparison and hash
--   By the first element that differs, then the shorter first.  Never an
--   error; -0 equals 0.
-- ---------------------------------------------------------------------------

CREATE FUNCTION vector_lt(vector, vector) RETURNS bool
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_lt(vector, vector) IS 'implementation of < operator';

CREATE FUNCTION vector_le(vector, vector) RETURNS bool
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_le(vector, vector) IS 'implementation of <= operator';

CREATE FUNCTION vector_eq(vector, vector) RETURNS bool
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_eq(vector, vector) IS 'implementation of = operator';

CREATE FUNCTION vector_ne(vector, vector) RETURNS bool
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_ne(vector, vector) IS 'implementation of <> operator';

CREATE FUNCTION vector_ge(vector, vector) RETURNS bool
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_ge(vector, vector) IS 'implementation of >= operator';

CREATE FUNCTION vector_gt(vector, vector) RETURNS bool
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_gt(vector, vector) IS 'implementation of > operator';

-- vector_cmp(a vector, b vector) -> integer
--   -1, 0 or 1 as a is before, equal to or after b.
CREATE FUNCTION vector_cmp(vector, vector) RETURNS int4
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_cmp(vector, vector) IS 'less-equal-greater';

CREATE FUNCTION vector_hash(vector) RETURNS integer
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_hash(vector) IS 'hash';

CREATE FUNCTION vector_hash_extended(vector, bigint) RETURNS bigint
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_hash_extended(vector, bigint) IS 'hash';

-- ---------------------------------------------------------------------------
-- functions: what indexes compute
--   Shapes and errors as for distances.
-- ---------------------------------------------------------------------------

-- vector_l2_squared_distance(a vector, b vector) -> float8
--   sum (a_i - b_i)^2
CREATE FUNCTION vector_l2_squared_distance(vector, vector) RETURNS float8
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_l2_squared_distance(vector, vector) IS 'square of the Euclidean distance';

-- vector_negative_inner_product(a vector, b vector) -> float8
--   -<a,b>, so that the nearest comes first
CREATE FUNCTION vector_negative_inner_product(vector, vector) RETURNS float8
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_negative_inner_product(vector, vector) IS 'negative inner product';

-- vector_spherical_distance(a vector, b vector) -> float8
--   acos <a,b> / pi, in [0, 1], of vectors taken to have norm 1
CREATE FUNCTION vector_spherical_distance(vector, vector) RETURNS float8
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_spherical_distance(vector, vector) IS 'angle of two unit vectors over pi';

-- ---------------------------------------------------------------------------
-- functions: support of aggregates
--   The state of avg is {rows, sum_1, sum_2, ...}, {0} before the first row.
--   Errors: internal_error if it is no such array.
-- ---------------------------------------------------------------------------

CREATE FUNCTION vector_accum(double precision[], vector) RETURNS double precision[]
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_accum(double precision[], vector) IS 'aggregate transition function';

CREATE FUNCTION vector_combine(double precision[], double precision[]) RETURNS double precision[]
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_combine(double precision[], double precision[]) IS 'aggregate combine function';

CREATE FUNCTION vector_avg(double precision[]) RETURNS vector
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_avg(double precision[]) IS 'aggregate final function';

-- ---------------------------------------------------------------------------
-- casts
--   Arrays become vectors by assignment only, so that ARRAY[1,2] = ARRAY[1,2]
--   keeps its one meaning.
--   Errors: data_exception for arrays that are empty or not 1-D, for NaN,
--   infinity and wrong dimensions; null_value_not_allowed.
-- ---------------------------------------------------------------------------

-- vector(v vector, typmod integer, explicit boolean) -> vector
--   v, if it has typmod dimensions.
CREATE FUNCTION vector(vector, integer, boolean) RETURNS vector
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector(vector, integer, boolean) IS 'adjust vector() to typmod dimensions';

CREATE FUNCTION array_to_vector(integer[], integer, boolean) RETURNS vector
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION array_to_vector(integer[], integer, boolean) IS 'convert integer[] to vector';

CREATE FUNCTION array_to_vector(real[], integer, boolean) RETURNS vector
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION array_to_vector(real[], integer, boolean) IS 'convert real[] to vector';

CREATE FUNCTION array_to_vector(double precision[], integer, boolean) RETURNS vector
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION array_to_vector(double precision[], integer, boolean) IS 'convert double precision[] to vector';

CREATE FUNCTION array_to_vector(numeric[], integer, boolean) RETURNS vector
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION array_to_vector(numeric[], integer, boolean) IS 'convert numeric[] to vector';

CREATE FUNCTION vector_to_float4(vector, integer, boolean) RETURNS real[]
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_to_float4(vector, integer, boolean) IS 'convert vector to real[]';

CREATE CAST (vector AS vector)
	WITH FUNCTION vector(vector, integer, boolean) AS IMPLICIT;
COMMENT ON CAST (vector AS vector) IS 'check the number of dimensions';

CREATE CAST (vector AS real[])
	WITH FUNCTION vector_to_float4(vector, integer, boolean) AS IMPLICIT;
COMMENT ON CAST (vector AS real[]) IS 'the same numbers';

CREATE CAST (integer[] AS vector)
	WITH FUNCTION array_to_vector(integer[], integer, boolean) AS ASSIGNMENT;
COMMENT ON CAST (integer[] AS vector) IS 'each number rounded to float32';

CREATE CAST (real[] AS vector)
	WITH FUNCTION array_to_vector(real[], integer, boolean) AS ASSIGNMENT;
COMMENT ON CAST (real[] AS vector) IS 'the same numbers';

CREATE CAST (double precision[] AS vector)
	WITH FUNCTION array_to_vector(double precision[], integer, boolean) AS ASSIGNMENT;
COMMENT ON CAST (double precision[] AS vector) IS 'each number rounded to float32';

CREATE CAST (numeric[] AS vector)
	WITH FUNCTION array_to_vector(numeric[], integer, boolean) AS ASSIGNMENT;
COMMENT ON CAST (numeric[] AS vector) IS 'each number rounded to float32';

-- ---------------------------------------------------------------------------
-- operators: distances
--   No RESTRICT, no JOIN: they return numbers, not booleans.
-- ---------------------------------------------------------------------------

CREATE OPERATOR <-> (
	LEFTARG = vector, RIGHTARG = vector, FUNCTION = l2_distance,
	COMMUTATOR = <->
);
COMMENT ON OPERATOR <-> (vector, vector) IS 'Euclidean distance';

CREATE OPERATOR <#> (
	LEFTARG = vector, RIGHTARG = vector, FUNCTION = vector_negative_inner_product,
	COMMUTATOR = <#>
);
COMMENT ON OPERATOR <#> (vector, vector) IS 'negative inner product';

CREATE OPERATOR <=> (
	LEFTARG = vector, RIGHTARG = vector, FUNCTION = cosine_distance,
	COMMUTATOR = <=>
);
COMMENT ON OPERATOR <=> (vector, vector) IS 'cosine distance';

CREATE OPERATOR <+> (
	LEFTARG = vector, RIGHTARG = vector, FUNCTION = l1_distance,
	COMMUTATOR = <+>
);
COMMENT ON OPERATOR <+> (vector, vector) IS 'taxicab distance';

-- ---------------------------------------------------------------------------
-- operators: arithmetic
--   No RESTRICT, no JOIN: they return vectors.  - and || do not commute.
-- ---------------------------------------------------------------------------

CREATE OPERATOR + (
	LEFTARG = vector, RIGHTARG = vector, FUNCTION = vector_add,
	COMMUTATOR = +
);
COMMENT ON OPERATOR + (vector, vector) IS 'add element by element';

CREATE OPERATOR - (
	LEFTARG = vector, RIGHTARG = vector, FUNCTION = vector_sub
);
COMMENT ON OPERATOR - (vector, vector) IS 'subtract element by element';

CREATE OPERATOR * (
	LEFTARG = vector, RIGHTARG = vector, FUNCTION = vector_mul,
	COMMUTATOR = *
);
COMMENT ON OPERATOR * (vector, vector) IS 'multiply element by element';

CREATE OPERATOR || (
	LEFTARG = vector, RIGHTARG = vector, FUNCTION = vector_concat
);
COMMENT ON OPERATOR || (vector, vector) IS 'concatenate';

-- ---------------------------------------------------------------------------
-- operators: comparison
-- ---------------------------------------------------------------------------

CREATE OPERATOR < (
	LEFTARG = vector, RIGHTARG = vector, FUNCTION = vector_lt,
	COMMUTATOR = >, NEGATOR = >=,
	RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
COMMENT ON OPERATOR < (vector, vector) IS 'less than';

CREATE OPERATOR <= (
	LEFTARG = vector, RIGHTARG = vector, FUNCTION = vector_le,
	COMMUTATOR = >=, NEGATOR = >,
	RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
COMMENT ON OPERATOR <= (vector, vector) IS 'less than or equal';

CREATE OPERATOR = (
	LEFTARG = vector, RIGHTARG = vector, FUNCTION = vector_eq,
	COMMUTATOR = =, NEGATOR = <>,
	RESTRICT = eqsel, JOIN = eqjoinsel,
	HASHES, MERGES
);
COMMENT ON OPERATOR = (vector, vector) IS 'equal';

CREATE OPERATOR <> (
	LEFTARG = vector, RIGHTARG = vector, FUNCTION = vector_ne,
	COMMUTATOR = <>, NEGATOR = =,
	RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR <> (vector, vector) IS 'not equal';

CREATE OPERATOR >= (
	LEFTARG = vector, RIGHTARG = vector, FUNCTION = vector_ge,
	COMMUTATOR = <=, NEGATOR = <,
	RESTRICT = scalargesel, JOIN = scalargejoinsel
);
COMMENT ON OPERATOR >= (vector, vector) IS 'greater than or equal';

CREATE OPERATOR > (
	LEFTARG = vector, RIGHTARG = vector, FUNCTION = vector_gt,
	COMMUTATOR = <, NEGATOR = <=,
	RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
COMMENT ON OPERATOR > (vector, vector) IS 'greater than';

-- ---------------------------------------------------------------------------
-- aggregates
--   NULLs are passed over; no rows give NULL.
--   Errors: data_exception if dimensions differ; numeric_value_out_of_range if
--   a sum is beyond float32 (sum) or float64 (avg).
-- ---------------------------------------------------------------------------

-- avg(v vector) -> vector
--   Summed in float64, rounded to float32 once.
CREATE AGGREGATE avg(vector) (
	SFUNC = vector_accum,
	STYPE = double precision[],
	FINALFUNC = vector_avg,
	COMBINEFUNC = vector_combine,
	INITCOND = '{0}',
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE avg(vector) IS 'average of each element';

-- sum(v vector) -> vector
--   Summed in float32.
CREATE AGGREGATE sum(vector) (
	SFUNC = vector_add,
	STYPE = vector,
	COMBINEFUNC = vector_add,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE sum(vector) IS 'sum of each element';

-- ---------------------------------------------------------------------------
-- btree and hash operator classes
-- ---------------------------------------------------------------------------

CREATE OPERATOR CLASS vector_ops
	DEFAULT FOR TYPE vector USING btree AS
	OPERATOR 1 <,
	OPERATOR 2 <=,
	OPERATOR 3 =,
	OPERATOR 4 >=,
	OPERATOR 5 >,
	FUNCTION 1 vector_cmp(vector, vector);
COMMENT ON OPERATOR CLASS vector_ops USING btree IS 'order of vectors';
COMMENT ON OPERATOR FAMILY vector_ops USING btree IS 'order of vectors';

CREATE OPERATOR CLASS vector_ops
	DEFAULT FOR TYPE vector USING hash AS
	OPERATOR 1 =,
	FUNCTION 1 vector_hash(vector),
	FUNCTION 2 vector_hash_extended(vector, bigint);
COMMENT ON OPERATOR CLASS vector_ops USING hash IS 'equality of vectors';
COMMENT ON OPERATOR FAMILY vector_ops USING hash IS 'equality of vectors';

-- ---------------------------------------------------------------------------
-- access method
-- ---------------------------------------------------------------------------

CREATE FUNCTION hnswhandler(internal) RETURNS index_am_handler
	AS 'MODULE_PATHNAME' LANGUAGE C;
COMMENT ON FUNCTION hnswhandler(internal) IS 'hnsw index access method handler';

CREATE ACCESS METHOD hnsw TYPE INDEX HANDLER hnswhandler;
COMMENT ON ACCESS METHOD hnsw IS 'hnsw index access method';

-- ---------------------------------------------------------------------------
-- hnsw operator classes
--   None is DEFAULT: pg_get_indexdef leaves a default class out, and tools that
--   dump schemas need its name.
--   Support functions: 1 the distance an index walks by, 2 the norm (cosine).
-- ---------------------------------------------------------------------------

CREATE OPERATOR CLASS vector_l2_ops
	FOR TYPE vector USING hnsw AS
	OPERATOR 1 <-> (vector, vector) FOR ORDER BY float_ops,
	FUNCTION 1 vector_l2_squared_distance(vector, vector);
COMMENT ON OPERATOR CLASS vector_l2_ops USING hnsw IS 'nearest by Euclidean distance';
COMMENT ON OPERATOR FAMILY vector_l2_ops USING hnsw IS 'nearest by Euclidean distance';

CREATE OPERATOR CLASS vector_ip_ops
	FOR TYPE vector USING hnsw AS
	OPERATOR 1 <#> (vector, vector) FOR ORDER BY float_ops,
	FUNCTION 1 vector_negative_inner_product(vector, vector);
COMMENT ON OPERATOR CLASS vector_ip_ops USING hnsw IS 'nearest by inner product';
COMMENT ON OPERATOR FAMILY vector_ip_ops USING hnsw IS 'nearest by inner product';

CREATE OPERATOR CLASS vector_cosine_ops
	FOR TYPE vector USING hnsw AS
	OPERATOR 1 <=> (vector, vector) FOR ORDER BY float_ops,
	FUNCTION 1 vector_negative_inner_product(vector, vector),
	FUNCTION 2 vector_norm(vector);
COMMENT ON OPERATOR CLASS vector_cosine_ops USING hnsw IS 'nearest by cosine distance';
COMMENT ON OPERATOR FAMILY vector_cosine_ops USING hnsw IS 'nearest by cosine distance';

CREATE OPERATOR CLASS vector_l1_ops
	FOR TYPE vector USING hnsw AS
	OPERATOR 1 <+> (vector, vector) FOR ORDER BY float_ops,
	FUNCTION 1 l1_distance(vector, vector);
COMMENT ON OPERATOR CLASS vector_l1_ops USING hnsw IS 'nearest by taxicab distance';
COMMENT ON OPERATOR FAMILY vector_l1_ops USING hnsw IS 'nearest by taxicab distance';

-- ---------------------------------------------------------------------------
-- instruments
-- ---------------------------------------------------------------------------

-- vector_build_info() -> text
--   Version of the library and the instruction set in use.
CREATE FUNCTION vector_build_info() RETURNS text
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_build_info() IS 'version and instruction set of the library';

-- hnsw_index_check(index, heapallindexed, strict) -> one row per violation
--   Checks the invariants of src/hnsw/README; no row for a sound index.
--   Locks: AccessShareLock on index and table, strict: ShareLock on the table.
--   Errors: wrong_object_type if 'index' is not an hnsw index.
CREATE FUNCTION hnsw_index_check(index regclass, heapallindexed bool DEFAULT false,
	strict bool DEFAULT false)
	RETURNS TABLE (rule text, severity text, blkno int8, nid int8, detail text)
	AS 'MODULE_PATHNAME' LANGUAGE C STRICT PARALLEL RESTRICTED;
REVOKE ALL ON FUNCTION hnsw_index_check(regclass, bool, bool) FROM PUBLIC;
COMMENT ON FUNCTION hnsw_index_check(regclass, bool, bool) IS 'check the integrity of an hnsw index';

-- hnsw_metapage(index) -> one row per field of the metapage
--   Errors: wrong_object_type if 'index' is not an hnsw index.
CREATE FUNCTION hnsw_metapage(index regclass)
	RETURNS TABLE (name text, value text)
	AS 'MODULE_PATHNAME' LANGUAGE C STRICT PARALLEL RESTRICTED;
REVOKE ALL ON FUNCTION hnsw_metapage(regclass) FROM PUBLIC;
COMMENT ON FUNCTION hnsw_metapage(regclass) IS 'fields of the metapage of an hnsw index';

-- hnsw_page_stats(index, blkno) -> one row: what the page is and holds
--   Errors: wrong_object_type if 'index' is not an hnsw index;
--   invalid_parameter_value if it has no such block.
CREATE FUNCTION hnsw_page_stats(index regclass, blkno int8)
	RETURNS TABLE (blkno int8, kind text, page_index int8, slots int4, live int4,
	empty int4, free int4, overflow int4)
	AS 'MODULE_PATHNAME' LANGUAGE C STRICT PARALLEL RESTRICTED;
REVOKE ALL ON FUNCTION hnsw_page_stats(regclass, int8) FROM PUBLIC;
COMMENT ON FUNCTION hnsw_page_stats(regclass, int8) IS 'summary of a page of an hnsw index';

-- hnsw_page_items(index, blkno) -> one row per slot of the page
--   Errors: as hnsw_page_stats.
CREATE FUNCTION hnsw_page_items(index regclass, blkno int8)
	RETURNS TABLE (nid int8, state text, version int8, ntids int4, nedges int4,
	first_tid tid)
	AS 'MODULE_PATHNAME' LANGUAGE C STRICT PARALLEL RESTRICTED;
REVOKE ALL ON FUNCTION hnsw_page_items(regclass, int8) FROM PUBLIC;
COMMENT ON FUNCTION hnsw_page_items(regclass, int8) IS 'slots of a page of an hnsw index';

-- hnsw_node(index, nid) -> one row per field and edge of the node
--   Errors: wrong_object_type if 'index' is not an hnsw index;
--   invalid_parameter_value if it has no such node.
CREATE FUNCTION hnsw_node(index regclass, nid int8)
	RETURNS TABLE (name text, value text)
	AS 'MODULE_PATHNAME' LANGUAGE C STRICT PARALLEL RESTRICTED;
REVOKE ALL ON FUNCTION hnsw_node(regclass, int8) FROM PUBLIC;
COMMENT ON FUNCTION hnsw_node(regclass, int8) IS 'fields of a node of an hnsw index';
