--
-- symbols: every C function that a catalog made by pgvector 0.8 names
--
-- After a swap of the library, or a pg_upgrade, the catalog still says what
-- pgvector's script said.  The list is that of the contract, not of our script.
--

CREATE TABLE symbol (name text PRIMARY KEY);
INSERT INTO symbol VALUES
	('array_to_halfvec'), ('array_to_sparsevec'), ('array_to_vector'), ('binary_quantize'), ('cosine_distance'),
	('halfvec'), ('halfvec_accum'), ('halfvec_add'), ('halfvec_avg'), ('halfvec_binary_quantize'),
	('halfvec_cmp'), ('halfvec_concat'), ('halfvec_cosine_distance'), ('halfvec_eq'), ('halfvec_ge'),
	('halfvec_gt'), ('halfvec_in'), ('halfvec_inner_product'), ('halfvec_l1_distance'), ('halfvec_l2_distance'),
	('halfvec_l2_norm'), ('halfvec_l2_normalize'), ('halfvec_l2_squared_distance'), ('halfvec_le'), ('halfvec_lt'),
	('halfvec_mul'), ('halfvec_ne'), ('halfvec_negative_inner_product'), ('halfvec_out'), ('halfvec_recv'),
	('halfvec_send'), ('halfvec_spherical_distance'), ('halfvec_sub'), ('halfvec_subvector'), ('halfvec_to_float4'),
	('halfvec_to_sparsevec'), ('halfvec_to_vector'), ('halfvec_typmod_in'), ('halfvec_vector_dims'), ('hamming_distance'),
	('hnsw_bit_support'), ('hnsw_halfvec_support'), ('hnsw_sparsevec_support'), ('hnswhandler'), ('inner_product'),
	('ivfflat_bit_support'), ('ivfflat_halfvec_support'), ('ivfflathandler'), ('jaccard_distance'), ('l1_distance'),
	('l2_distance'), ('l2_normalize'), ('sparsevec'), ('sparsevec_cmp'), ('sparsevec_cosine_distance'),
	('sparsevec_eq'), ('sparsevec_ge'), ('sparsevec_gt'), ('sparsevec_in'), ('sparsevec_inner_product'),
	('sparsevec_l1_distance'), ('sparsevec_l2_distance'), ('sparsevec_l2_norm'), ('sparsevec_l2_normalize'), ('sparsevec_l2_squared_distance'),
	('sparsevec_le'), ('sparsevec_lt'), ('sparsevec_ne'), ('sparsevec_negative_inner_product'), ('sparsevec_out'),
	('sparsevec_recv'), ('sparsevec_send'), ('sparsevec_to_halfvec'), ('sparsevec_to_vector'), ('sparsevec_typmod_in'),
	('subvector'), ('vector'), ('vector_accum'), ('vector_add'), ('vector_avg'),
	('vector_cmp'), ('vector_combine'), ('vector_concat'), ('vector_dims'), ('vector_eq'),
	('vector_ge'), ('vector_gt'), ('vector_in'), ('vector_l2_squared_distance'), ('vector_le'),
	('vector_lt'), ('vector_mul'), ('vector_ne'), ('vector_negative_inner_product'), ('vector_norm'),
	('vector_out'), ('vector_recv'), ('vector_send'), ('vector_spherical_distance'), ('vector_sub'),
	('vector_to_float4'), ('vector_to_halfvec'), ('vector_to_sparsevec'), ('vector_typmod_in');
SELECT count(*) FROM symbol;

-- those that the library lacks: no rows
CREATE FUNCTION problem(name text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('CREATE FUNCTION pg_temp.try(internal) RETURNS internal AS ''$libdir/vector'', %L LANGUAGE C', name);
	DROP FUNCTION pg_temp.try;
	RETURN NULL;
EXCEPTION WHEN undefined_function THEN
	RETURN SQLERRM;
END $$;
SELECT problem('no_such_symbol') IS NOT NULL AS can_fail;
SELECT name, problem(name) FROM symbol WHERE problem(name) IS NOT NULL ORDER BY name;

-- those that our installation of 0.8.6 does not name, or names besides: no rows
DROP EXTENSION vector;
CREATE EXTENSION vector VERSION '0.8.6';
SELECT name AS missing FROM symbol EXCEPT SELECT prosrc FROM pg_proc WHERE probin = '$libdir/vector';
SELECT prosrc AS extra FROM pg_proc WHERE probin = '$libdir/vector' EXCEPT SELECT name FROM symbol;

DROP EXTENSION vector;
CREATE EXTENSION vector;
DROP TABLE symbol;
DROP FUNCTION problem;
