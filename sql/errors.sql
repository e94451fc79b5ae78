--
-- errors: what the types refuse, with text and SQLSTATE
--

-- The error of a statement; a row of NULLs if there is none.
CREATE FUNCTION error_of(statement text, OUT code text, OUT message text, OUT detail text, OUT hint text)
LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE statement;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
		detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	-- of a long text, the beginning
	message := left(message, 100);
END $$;

-- What vector_recv makes of a message, given in hexadecimal, under a typmod.
CREATE FUNCTION recv(wire text, typmod text DEFAULT '') RETURNS vector
LANGUAGE plpgsql AS $$
DECLARE
	file text := current_setting('data_directory') || '/vector_errors.copy';
	body bytea := decode(wire, 'hex');
	object oid;
	result vector;
BEGIN
	-- COPY BINARY: signature, flags, extension; one row of one field; the end
	object := lo_from_bytea(0, '\x5047434f50590aff0d0a00'::bytea || int4send(0) || int4send(0) ||
		int2send(1::int2) || int4send(length(body)) || body || int2send(-1::int2));
	PERFORM lo_export(object, file);
	PERFORM lo_unlink(object);
	EXECUTE format('CREATE TEMP TABLE received (v vector%s)', typmod);
	EXECUTE format('COPY received FROM PROGRAM %L (FORMAT binary)', format('cat "%s"; rm "%s"', file, file));
	SELECT v INTO STRICT result FROM received;
	DROP TABLE received;
	RETURN result;
END $$;

-- text
SELECT input, e.code, e.message, e.detail, e.hint
	FROM unnest(ARRAY[
		'', ' ', '1,2', '{1,2}', 'hello', '[', '[ ', '[1', '[1 ', '[1,', '[1,]', '[,1]', '[,]', '[1,,2]', '[1 2]', '[1;2]', '[1}',
		'[a]', '[1a]', '[1,2a]', '[-]', '[+]', '[.]', '[-.]', '[e5]', '[.e5]', '[1e]', '[1e+]', '[--1]', '[+-1]', '[- 1]', '[0x]', '[1_000]',
		'[1.2.3]', '[12x3]', '[[1]]', '["1"]', '[null]', '[1]a', '[1]]', '[1],[2]', ' [1] ,',
		'[]', '[ ]', '[]x',
		'[NaN]', '[1,nan]', '[-nan]', '[Infinity]', '[1,-Infinity]', '[inf]', '[-INF]', '[NaN,a]', '[nanx]', '[infinit]',
		'[4e38]', '[-4e38]', '[1,1e400,2]', '[3.4028236e38]', '[340282356779733661637539395458142568448]', '[1e99999999999999999999]',
		'[0x1p128]', '[4e38,a]', '[a,4e38]'
	]) WITH ORDINALITY AS t (input, n),
	error_of(format('SELECT %L::vector', input)) AS e
	ORDER BY n;

-- number of dimensions
SELECT e.* FROM error_of('SELECT (''['' || repeat(''1,'', 16000) || ''1]'')::vector') AS e;
SELECT e.* FROM error_of('SELECT (''['' || repeat(''1,'', 16000) || ''a'')::vector') AS e;
SELECT e.* FROM error_of('SELECT (''['' || repeat(''1,'', 15999) || ''1]'')::vector') AS e;
SELECT e.* FROM error_of('SELECT array_fill(1, ARRAY[16000])::vector || ''[1]''') AS e;

-- typmod
SELECT typmod, e.code, e.message, e.detail, e.hint
	FROM unnest(ARRAY['(0)', '(-1)', '(16000)', '(16001)', '(2147483647)', '(2147483648)', '(1,2)', '(a)', '(''1'')', '(1.5)', '()'])
		WITH ORDINALITY AS t (typmod, n),
	error_of(format('SELECT NULL::vector%s', typmod)) AS e
	ORDER BY n;
SELECT input, e.code, e.message, e.detail, e.hint
	FROM unnest(ARRAY['{}', '{NULL}', '{{1}}', '{1}']) WITH ORDINALITY AS t (input, n),
	error_of(format('SELECT vector_typmod_in(%L)', input)) AS e
	ORDER BY n;
SELECT e.* FROM error_of('SELECT ''[1,2,3]''::vector(2)') AS e;
SELECT e.* FROM error_of('SELECT ''[1,2,3]''::vector::vector(2)') AS e;
SELECT e.* FROM error_of('SELECT ARRAY[1,2,3]::vector(2)') AS e;

-- binary; the checks come in a fixed order: dim, typmod, unused, elements
SELECT recv('000200003f80000040000000'), recv('00010000' || '80000000'), recv('00010000' || '00000001', '(1)');
SELECT wire, typmod, e.code, e.message, e.detail, e.hint
	FROM (VALUES
		(1, '', ''), (2, '00', ''), (3, '000100', ''), (4, '00010000', ''), (5, '000100003f8000', ''),
		(6, '000100003f80000000', ''), (7, '00000000', ''), (8, 'ffff0000', ''), (9, '3e810000', ''), (10, '7fff0000', ''),
		(11, '3e800000', ''), (12, '000100003f800000', '(2)'), (13, '000100013f800000', ''), (14, '0001ffff3f800000', ''),
		(15, '0001000113371337', '(2)'), (16, '000100007fc00000', ''), (17, '000100017fc00000', ''), (18, '000100007f800000', ''),
		(19, '00010000ff800000', ''), (20, '000200003f800000ffc00000', ''), (21, '000200007f8000007fc00000', ''),
		(22, '000000007f800000', '(2)')) t (n, wire, typmod),
	error_of(format('SELECT recv(%L, %L)', wire, typmod)) AS e
	ORDER BY n;

-- operands of different dimensions
SELECT expression, e.code, e.message, e.detail, e.hint
	FROM unnest(ARRAY[
		'%s <-> %s', '%s <#> %s', '%s <=> %s', '%s <+> %s', 'l2_distance(%s, %s)', 'inner_product(%s, %s)', 'cosine_distance(%s, %s)',
		'l1_distance(%s, %s)', 'vector_l2_squared_distance(%s, %s)', 'vector_negative_inner_product(%s, %s)',
		'vector_spherical_distance(%s, %s)', '%s + %s', '%s - %s', '%s * %s', '%s || %s', '%s < %s', '%s = %s', 'vector_cmp(%s, %s)'
	]) WITH ORDINALITY AS t (expression, n),
	error_of(format('SELECT ' || expression, '''[1,2]''::vector', '''[3]''::vector')) AS e
	ORDER BY n;

-- results and arrays
SELECT expression, e.code, e.message, e.detail, e.hint
	FROM unnest(ARRAY[
		$$'[3e38]'::vector + '[3e38]'$$, $$'[3e38]'::vector - '[-3e38]'$$, $$'[3e38]'::vector * '[2]'$$, $$'[1e-30]'::vector * '[1e-30]'$$,
		$$subvector('[1,2]'::vector, 3, 1)$$, $$subvector('[1,2]'::vector, 1, 0)$$,
		$$'{}'::int[]::vector$$, $$'{{1}}'::real[]::vector$$, $$'{NULL}'::float8[]::vector$$, $$'{NaN}'::real[]::vector$$,
		$$'{-Infinity}'::real[]::vector$$, $$'{1e39}'::float8[]::vector$$, $$'{1e39}'::numeric[]::vector$$,
		$$array_fill(1, ARRAY[16001])::vector$$,
		$$vector_accum('{}', '[1]')$$, $$vector_combine('{}', '{0}')$$, $$vector_avg('{{1}}')$$,
		$$vector_avg('{1}')$$, $$vector_avg('{1,NaN}')$$, $$vector_avg('{1,1e39}')$$, $$vector_accum('{1,2,3}', '[1]')$$,
		$$vector_combine('{1,2}', '{1,2,3}')$$, $$vector_accum('{1,Infinity}', '[1]')$$,
		$$sum(v) FROM (VALUES ('[1,2]'::vector), ('[1]')) t (v)$$, $$avg(v) FROM (VALUES ('[1,2]'::vector), ('[1]')) t (v)$$,
		$$sum(v) FROM (VALUES ('[3e38]'::vector), ('[3e38]')) t (v)$$
	]) WITH ORDINALITY AS t (expression, n),
	error_of('SELECT ' || expression) AS e
	ORDER BY n;

-- A function behind an array cast can be declared by a superuser only, but
-- with any array.
CREATE FUNCTION text_array_to_vector(text[], integer, boolean) RETURNS vector
	AS '$libdir/vector', 'array_to_vector' LANGUAGE C IMMUTABLE STRICT;
SELECT e.* FROM error_of('SELECT text_array_to_vector(''{a}'', -1, false)') AS e;
DROP FUNCTION text_array_to_vector;

-- no default operator class for hnsw; the btree class takes its own type only
CREATE TEMP TABLE indexed (v vector(3), r real[]);
SELECT e.* FROM error_of('CREATE INDEX ON indexed USING hnsw (v)') AS e;
SELECT e.* FROM error_of('CREATE INDEX ON indexed USING hnsw (r vector_l2_ops)') AS e;
SELECT e.* FROM error_of('CREATE INDEX ON indexed (r vector_ops)') AS e;
DROP TABLE indexed;

-- long texts are refused or read in linear time; none is written to
SET statement_timeout = '5s';
SELECT e.* FROM error_of('SELECT repeat(''['', 1000000)::vector') AS e;
SELECT e.* FROM error_of('SELECT (''['' || repeat('' '', 1000000))::vector') AS e;
SELECT ('[' || repeat('0', 1000000) || '.5]')::vector;
SELECT ('[0.' || repeat('0', 1000000) || '5e1000001]')::vector;
SELECT ('[1' || repeat('0', 1000000) || 'e-1000000,2]')::vector;
SELECT vector_norm(('[' || repeat(repeat('1', 300) || 'e-300,', 15999) || '1]')::vector) BETWEEN 14 AND 15 AS norm;
RESET statement_timeout;

DROP FUNCTION recv;

--
-- halfvec
--

-- What halfvec_recv makes of a message, given in hexadecimal, under a typmod.
CREATE FUNCTION recv_half(wire text, typmod text DEFAULT '') RETURNS halfvec
LANGUAGE plpgsql AS $$
DECLARE
	file text := current_setting('data_directory') || '/halfvec_errors.copy';
	body bytea := decode(wire, 'hex');
	object oid;
	result halfvec;
BEGIN
	object := lo_from_bytea(0, '\x5047434f50590aff0d0a00'::bytea || int4send(0) || int4send(0) ||
		int2send(1::int2) || int4send(length(body)) || body || int2send(-1::int2));
	PERFORM lo_export(object, file);
	PERFORM lo_unlink(object);
	EXECUTE format('CREATE TEMP TABLE received (v halfvec%s)', typmod);
	EXECUTE format('COPY received FROM PROGRAM %L (FORMAT binary)', format('cat "%s"; rm "%s"', file, file));
	SELECT v INTO STRICT result FROM received;
	DROP TABLE received;
	RETURN result;
END $$;

-- text; what comes first in the text is reported
SELECT input, e.code, e.message, e.detail, e.hint
	FROM unnest(ARRAY[
		'', ' ', '1,2', '{1,2}', '[', '[1', '[1,', '[1,]', '[,1]', '[1 2]', '[1}', '[a]', '[1,2a]', '[-]', '[1e]', '[0x]', '[null]',
		'[1]a', '[1]]', '[1],[2]',
		'[]', '[ ]', '[]x',
		'[NaN]', '[1,nan]', '[Infinity]', '[1,-Infinity]', '[inf]', '[NaN,a]',
		'[65520]', '[-65520]', '[65519.999]', '[1, 65520 ,2]', '[1e5]', '[ 1 ,+7e4,1e400]', '[4e38]', '[1,1e400,2]', '[0x10000]',
		'[65520,a]', '[a,65520]', '[65520', '[1,65520]x', '[NaN,65520]', '[65520,NaN]', '[1e400,65520]', '[66000,67000]'
	]) WITH ORDINALITY AS t (input, n),
	error_of(format('SELECT %L::halfvec', input)) AS e
	ORDER BY n;

-- number of dimensions
SELECT e.* FROM error_of('SELECT (''['' || repeat(''1,'', 16000) || ''1]'')::halfvec') AS e;
SELECT e.* FROM error_of('SELECT (''[65520,'' || repeat(''1,'', 16000) || ''1]'')::halfvec') AS e;
SELECT e.* FROM error_of('SELECT (''['' || repeat(''1,'', 15999) || ''1]'')::halfvec') AS e;
SELECT e.* FROM error_of('SELECT array_fill(1, ARRAY[16000])::halfvec || ''[1]''') AS e;

-- typmod
SELECT typmod, e.code, e.message, e.detail, e.hint
	FROM unnest(ARRAY['(0)', '(-1)', '(16000)', '(16001)', '(2147483648)', '(1,2)', '(a)', '(1.5)', '()'])
		WITH ORDINALITY AS t (typmod, n),
	error_of(format('SELECT NULL::halfvec%s', typmod)) AS e
	ORDER BY n;
SELECT e.* FROM error_of('SELECT ''[1,2,3]''::halfvec(2)') AS e;
SELECT e.* FROM error_of('SELECT ''[65520]''::halfvec(2)') AS e;

-- binary; the checks come in a fixed order: dim, typmod, unused, elements
SELECT recv_half('000200003c004000'), recv_half('00010000' || '8000'), recv_half('00010000' || '0001', '(1)'), recv_half('00020000' || '7bfffbff');
SELECT wire, typmod, e.code, e.message, e.detail, e.hint
	FROM (VALUES
		(1, '', ''), (2, '00', ''), (3, '000100', ''), (4, '00010000', ''), (5, '000100003c', ''),
		(6, '000100003c0000', ''), (7, '00000000', ''), (8, 'ffff0000', ''), (9, '3e810000', ''),
		(10, '3e800000', ''), (11, '000100003c00', '(2)'), (12, '000100013c00', ''), (13, '0001ffff3c00', ''),
		(14, '0001000113371337', '(2)'), (15, '000100007e00', ''), (16, '000100007c01', ''), (17, '000100007c00', ''),
		(18, '00010000fc00', ''), (19, '000200003c00fe00', ''), (20, '000200007c007e00', ''), (21, '000000007c00', '(2)')) t (n, wire, typmod),
	error_of(format('SELECT recv_half(%L, %L)', wire, typmod)) AS e
	ORDER BY n;

-- operands of different dimensions
SELECT expression, e.code, e.message, e.detail, e.hint
	FROM unnest(ARRAY[
		'%s <-> %s', '%s <#> %s', '%s <=> %s', '%s <+> %s', 'l2_distance(%s, %s)', 'inner_product(%s, %s)', 'cosine_distance(%s, %s)',
		'l1_distance(%s, %s)', 'halfvec_l2_squared_distance(%s, %s)', 'halfvec_negative_inner_product(%s, %s)',
		'halfvec_spherical_distance(%s, %s)', '%s + %s', '%s - %s', '%s * %s', '%s || %s', '%s < %s', '%s = %s', 'halfvec_cmp(%s, %s)'
	]) WITH ORDINALITY AS t (expression, n),
	error_of(format('SELECT ' || expression, '''[1,2]''::halfvec', '''[3]''::halfvec')) AS e
	ORDER BY n;

-- results, arrays, casts
SELECT expression, e.code, e.message, e.detail, e.hint
	FROM unnest(ARRAY[
		$$'[65504]'::halfvec + '[16]'$$, $$'[65504]'::halfvec - '[-65504]'$$, $$'[256]'::halfvec * '[256]'$$, $$'[1e-4]'::halfvec * '[1e-4]'$$,
		$$subvector('[1,2]'::halfvec, 3, 1)$$, $$subvector('[1,2]'::halfvec, 1, 0)$$,
		$$'{}'::int[]::halfvec$$, $$'{{1}}'::real[]::halfvec$$, $$'{NULL}'::float8[]::halfvec$$, $$'{NaN}'::real[]::halfvec$$,
		$$'{-Infinity}'::real[]::halfvec$$, $$'{1e39}'::float8[]::halfvec$$, $$'{1e39}'::numeric[]::halfvec$$, $$'{65520}'::int[]::halfvec$$,
		$$array_fill(1, ARRAY[16001])::halfvec$$, $$'[65520]'::vector::halfvec$$, $$'[1,2]'::vector::halfvec(1)$$, $$'[1,2]'::halfvec::vector(1)$$,
		$$halfvec_accum('{}', '[1]')$$, $$halfvec_combine('{}', '{0}')$$, $$halfvec_avg('{{1}}')$$, $$halfvec_avg('{1}')$$, $$halfvec_avg('{1,NaN}')$$,
		$$halfvec_avg('{1,1e39}')$$, $$halfvec_avg('{1,65520}')$$, $$halfvec_accum('{1,2,3}', '[1]')$$,
		$$sum(v) FROM (VALUES ('[1,2]'::halfvec), ('[1]')) t (v)$$, $$avg(v) FROM (VALUES ('[1,2]'::halfvec), ('[1]')) t (v)$$,
		$$sum(v) FROM (VALUES ('[65504]'::halfvec), ('[65504]')) t (v)$$
	]) WITH ORDINALITY AS t (expression, n),
	error_of('SELECT ' || expression) AS e
	ORDER BY n;
CREATE FUNCTION text_array_to_halfvec(text[], integer, boolean) RETURNS halfvec
	AS '$libdir/vector', 'array_to_halfvec' LANGUAGE C IMMUTABLE STRICT;
SELECT e.* FROM error_of('SELECT text_array_to_halfvec(''{a}'', -1, false)') AS e;
DROP FUNCTION text_array_to_halfvec;

-- functions with several overloads do not take a bare literal
SELECT e.* FROM error_of('SELECT binary_quantize(''[1,-2,3]'')') AS e;
SELECT e.* FROM error_of('SELECT l2_distance(''[1]'', ''[2]'')') AS e;

DROP FUNCTION recv_half;

--
-- sparsevec
--

-- What sparsevec_recv makes of a message, given in hexadecimal, under a typmod.
CREATE FUNCTION recv_sparse(wire text, typmod text DEFAULT '') RETURNS sparsevec
LANGUAGE plpgsql AS $$
DECLARE
	file text := current_setting('data_directory') || '/sparsevec_errors.copy';
	body bytea := decode(wire, 'hex');
	object oid;
	result sparsevec;
BEGIN
	object := lo_from_bytea(0, '\x5047434f50590aff0d0a00'::bytea || int4send(0) || int4send(0) ||
		int2send(1::int2) || int4send(length(body)) || body || int2send(-1::int2));
	PERFORM lo_export(object, file);
	PERFORM lo_unlink(object);
	EXECUTE format('CREATE TEMP TABLE received (v sparsevec%s)', typmod);
	EXECUTE format('COPY received FROM PROGRAM %L (FORMAT binary)', format('cat "%s"; rm "%s"', file, file));
	SELECT v INTO STRICT result FROM received;
	DROP TABLE received;
	RETURN result;
END $$;
-- such a message
CREATE FUNCTION wire(dim int, nnz int, unused int, indices int[], vals text) RETURNS text LANGUAGE sql AS $$
	SELECT encode(int4send(dim) || int4send(nnz) || int4send(unused), 'hex') ||
		coalesce((SELECT string_agg(encode(int4send(i), 'hex'), '' ORDER BY n) FROM unnest(indices) WITH ORDINALITY u (i, n)), '') || vals
$$;

-- text
SELECT input, e.code, e.message, e.detail, e.hint
	FROM unnest(ARRAY[
		'', ' ', '1:1}/3', '[1]', 'hello', ',{1:1}/3',
		'{', '{ ', '{1', '{1 ', '{1:', '{1:1', '{1:1 ', '{1:1,', '{1:1,}', '{1:1,}/2', '{,}/1', '{,1:1}/1', '{:', '{:1}/1', '{1:}/1', '{1:,2:1}/2',
		'{a:1}/1', '{1:a}/1', '{1;1}/1', '{1:1;2:1}/2', '{1:1 2:1}/2', '{1.5:1}/3', '{0x1:1}/3', '{- 1:1}/3', '{NaN:1}/3', '{{1:1}}/3', '{1:1:1}/3',
		'{1:1,,2:1}/3', '{1:1a}/3', '{1:1e}/3', '{1:1e+}/3', '{1:--1}/3', '{1:+ 1}/3',
		'{}', '{} ', '{}x', '{1:1}}/3', '{5:1}', '{}/', '{}/ ', '{}/x', '{1:1}//3', '{1:1}/NaN',
		'{}/1a', '{}/1 a', '{}/1.5', '{}/0x10', '{}/1e3', '{1:1}/3,', '{1:1}/3}',
		'{}/0', '{}/-1', '{}/-99999999999999999999', '{}/1000000001', '{}/2147483648', '{}/99999999999999999999',
		'{0:1}/3', '{-1:1}/3', '{4:1}/3', '{2147483647:1}/3', '{2147483648:1}/3', '{4294967297:1}/3', '{-2147483648:1}/3',
		'{99999999999999999999:1}/3', '{-99999999999999999999:1}/3',
		'{1:1,1:2}/3', '{3:1,1:1,3:2}/3', '{3:1,3:1,4:1}/3', '{4:1,4:1}/3', '{1:1,1:1}/0',
		'{1:NaN}/3', '{1:nan', '{1:inf}/3', '{1:-Infinity}/3', '{1:NaN,a}/3',
		'{1:4e38}/3', '{1:-4e38}/3', '{1:1,2:4e38', '{1:1e400}/3', '{1:1e-46}/3', '{1:-1e-400}/3', '{1:0x1p-150}/3', '{1:7e-46}/3',
		'{1:0.000000000000000000000000000000000000000000000001}/3', '{1:00.0001e-45}/3', '{1:0x0.01p-149}/3'
	]) WITH ORDINALITY AS t (input, n),
	error_of(format('SELECT %L::sparsevec', input)) AS e
	ORDER BY n;

-- number of elements, counted by commas before anything else
SELECT e.* FROM error_of('SELECT (''x'' || repeat('','', 16000))::sparsevec') AS e;
SELECT e.* FROM error_of('SELECT (''{1:0'' || repeat('',1:0'', 16000) || ''}/1'')::sparsevec') AS e;
SELECT e.* FROM error_of('SELECT (''{1:0'' || repeat('',1:0'', 15999) || ''}/1'')::sparsevec') AS e;

-- typmod
SELECT typmod, e.code, e.message, e.detail, e.hint
	FROM unnest(ARRAY['(0)', '(-1)', '(1000000000)', '(1000000001)', '(2147483647)', '(2147483648)', '(1,2)', '(a)', '(1.5)', '()'])
		WITH ORDINALITY AS t (typmod, n),
	error_of(format('SELECT NULL::sparsevec%s', typmod)) AS e
	ORDER BY n;
SELECT input, e.code, e.message, e.detail, e.hint
	FROM unnest(ARRAY['{1:1}/3', '{}/0', '{1:1,1:1}/3', '{1:NaN}/3', '{1:1}/3x']) WITH ORDINALITY AS t (input, n),
	error_of(format('SELECT %L::sparsevec(2)', input)) AS e
	ORDER BY n;

-- binary; the checks come in a fixed order: dim, nnz, typmod, unused, indices, values
SELECT recv_sparse(wire(3, 1, 0, '{0}', '3f800000')), recv_sparse(wire(3, 0, 0, '{}', ''), '(3)'),
	recv_sparse(wire(1000000000, 2, 0, '{0,999999999}', '00000001ff7fffff'));
SELECT n, e.code, e.message, e.detail, e.hint
	FROM (VALUES
		(1, '', ''), (2, '00000003', ''), (3, '0000000300000001', ''), (4, wire(0, 0, 0, '{}', ''), ''), (5, wire(-1, -1, 7, '{}', ''), ''),
		(6, wire(1000000001, -1, 7, '{}', ''), ''), (7, wire(3, -1, 7, '{}', ''), '(2)'), (8, wire(3, 16001, 7, '{}', ''), '(2)'),
		(9, wire(20000, 16001, 0, '{}', ''), ''), (10, wire(3, 2147483647, 0, '{}', ''), ''), (11, wire(3, 4, 7, '{}', ''), '(2)'),
		(12, wire(3, 1, 7, '{}', ''), '(2)'), (13, wire(3, 1, 7, '{}', ''), ''), (14, wire(3, 1, -1, '{0}', '3f800000'), ''),
		(15, wire(3, 1, 0, '{}', ''), ''), (16, wire(3, 1, 0, '{-1}', '00000000'), ''), (17, wire(3, 1, 0, '{3}', '7fc00000'), ''),
		(18, wire(3, 2, 0, '{0,3}', ''), ''), (19, wire(3, 2, 0, '{1,0}', '7fc0000000000000'), ''), (20, wire(3, 2, 0, '{1,1}', '7fc0000000000000'), ''),
		(21, wire(3, 2, 0, '{1,-1}', '3f8000003f800000'), ''), (22, wire(3, 1, 0, '{0}', ''), ''), (23, wire(3, 1, 0, '{0}', '3f8000'), ''),
		(24, wire(3, 1, 0, '{0}', '3f80000000'), ''), (25, wire(3, 1, 0, '{0}', '00000000'), ''), (26, wire(3, 1, 0, '{0}', '80000000'), ''),
		(27, wire(3, 2, 0, '{0,1}', '7fc0000000000000'), ''), (28, wire(3, 2, 0, '{0,1}', '000000007fc00000'), ''),
		(29, wire(3, 1, 0, '{0}', '7f800000'), ''), (30, wire(3, 1, 0, '{0}', 'ff800000'), '')) t (n, message, typmod),
	error_of(format('SELECT recv_sparse(%L, %L)', message, typmod)) AS e
	ORDER BY n;

-- operands of different dimensions
SELECT expression, e.code, e.message, e.detail, e.hint
	FROM unnest(ARRAY[
		'%s <-> %s', '%s <#> %s', '%s <=> %s', '%s <+> %s', 'l2_distance(%s, %s)', 'inner_product(%s, %s)', 'cosine_distance(%s, %s)',
		'l1_distance(%s, %s)', 'sparsevec_l2_squared_distance(%s, %s)', 'sparsevec_negative_inner_product(%s, %s)',
		'%s + %s', '%s || %s', '%s < %s', '%s = %s', 'sparsevec_cmp(%s, %s)'
	]) WITH ORDINALITY AS t (expression, n),
	error_of(format('SELECT ' || expression, '''{1:1}/2''::sparsevec', '''{1:1}/3''::sparsevec')) AS e
	ORDER BY n;

-- arrays and casts
SELECT expression, e.code, e.message, e.detail, e.hint
	FROM unnest(ARRAY[
		$$'{}'::int[]::sparsevec$$, $$'{{1}}'::real[]::sparsevec$$, $$'{NULL}'::float8[]::sparsevec$$, $$'{NaN}'::real[]::sparsevec$$,
		$$'{-Infinity}'::real[]::sparsevec$$, $$'{1e39}'::float8[]::sparsevec$$, $$'{1e39}'::numeric[]::sparsevec$$, $$'{1e-50}'::numeric[]::sparsevec$$,
		$$array_fill(1, ARRAY[16001])::sparsevec$$, $$array_fill(1, ARRAY[16001])::sparsevec(3)$$, $$'[1,2]'::vector::sparsevec(1)$$,
		$$'[1,2]'::halfvec::sparsevec(1)$$, $$'{1:1}/16001'::sparsevec::vector(1)$$, $$'{1:1}/16001'::sparsevec::halfvec(1)$$,
		$$'{1:1}/2'::sparsevec::vector(1)$$, $$'{1:1}/2'::sparsevec::halfvec(1)$$, $$'{1:1}/2'::sparsevec::sparsevec(1)$$, $$'{1:65520}/2'::sparsevec::halfvec$$,
		$$'{1:1}/2'::sparsevec::real[]$$, $$vector_dims('{1:1}/2'::sparsevec)$$
	]) WITH ORDINALITY AS t (expression, n),
	error_of('SELECT ' || expression) AS e
	ORDER BY n;
CREATE FUNCTION text_array_to_sparsevec(text[], integer, boolean) RETURNS sparsevec
	AS '$libdir/vector', 'array_to_sparsevec' LANGUAGE C IMMUTABLE STRICT;
SELECT e.* FROM error_of('SELECT text_array_to_sparsevec(''{a}'', -1, false)') AS e;
DROP FUNCTION text_array_to_sparsevec;

-- Damaged data: bytes that no function of ours made.  Nothing is read beyond
-- their end, and no cast writes where a wrong index points.  (Only a superuser
-- can make this cast.  Integers are little-endian here.)
CREATE CAST (bytea AS sparsevec) WITHOUT FUNCTION;
CREATE FUNCTION damaged(dim int, nnz int, indices int[], vals text) RETURNS sparsevec LANGUAGE sql AS $$
	SELECT decode(string_agg(encode(substr(b, 4, 1) || substr(b, 3, 1) || substr(b, 2, 1) || substr(b, 1, 1), 'hex'), '' ORDER BY n) || vals, 'hex')::sparsevec
	FROM unnest(ARRAY[dim, nnz, 0] || indices) WITH ORDINALITY u (i, n), int4send(i) b
$$;
SELECT what, expression, e.code, e.message
	FROM (VALUES
		(1, 'too many elements', $$damaged(3, 2, '{0}', '0000803f')$$), (2, 'far too many', $$damaged(3, 2147483647, '{0}', '0000803f')$$),
		(3, 'negative number', $$damaged(3, -1, '{}', '')$$), (4, 'nothing', $$''::bytea::sparsevec$$), (5, 'half a head', $$'\x0300000001'::bytea::sparsevec$$),
		(6, 'index beyond', $$damaged(3, 1, '{3}', '0000803f')$$), (7, 'index far beyond', $$damaged(3, 1, '{2147483647}', '0000803f')$$),
		(8, 'negative index', $$damaged(3, 1, '{-1}', '0000803f')$$), (9, 'twice', $$damaged(3, 2, '{1,1}', '0000803f0000803f')$$),
		(10, 'not sorted', $$damaged(3, 2, '{1,0}', '0000803f0000803f')$$), (11, 'no dimensions', $$damaged(0, 0, '{}', '')$$)) d (n, what, value),
	unnest(ARRAY['%s::vector', '%s::halfvec', '%s::sparsevec(3)', '%s::text', 'sparsevec_send(%s)', '%s <-> ''{1:1}/3''', '%s <=> ''{1:1}/3''',
		'%s = ''{1:1}/3''', 'l2_normalize(%s)', 'sparsevec_hash(%s)']) WITH ORDINALITY x (expression, m),
	error_of(format('SELECT ' || expression, value)) AS e
	WHERE e.code IS NOT NULL
	ORDER BY n, m;
-- what can be read is
SELECT damaged(3, 2, '{1,0}', '0000803f0000803f'), damaged(-2147483648, 1, '{-2147483648}', '0000803f'), damaged(3, 1, '{2147483647}', '0000803f'),
	damaged(3, 1, '{1}', '00000000') AS explicit_zero;
-- an explicit zero makes no difference
SELECT damaged(3, 2, '{0,1}', '0000803f00000000') = '{1:1}/3' AS equal,
	sparsevec_hash(damaged(3, 2, '{0,1}', '0000803f00000000')) = sparsevec_hash('{1:1}/3') AS hash,
	sparsevec_hash_extended(damaged(3, 2, '{0,1}', '0000803f00000080'), 7) = sparsevec_hash_extended('{1:1}/3', 7) AS extended;
DROP FUNCTION damaged;
DROP CAST (bytea AS sparsevec);

DROP FUNCTION recv_sparse, wire;

--
-- bit
--

SELECT expression, e.code, e.message, e.detail, e.hint
	FROM unnest(ARRAY[
		$$B'111' <~> B'11'$$, $$B'111' <%> B'1111'$$, $$hamming_distance('', '1')$$, $$jaccard_distance('1', '')$$, $$'1'::varbit <~> B'11'$$, $$B'1' <-> B'1'$$
	]) WITH ORDINALITY AS t (expression, n),
	error_of('SELECT ' || expression) AS e
	ORDER BY n;

--
-- indexes of both
--

CREATE TEMP TABLE indexed (h halfvec(3), u halfvec, b bit(3), w bit(64001), x varbit(3));
SELECT statement, e.code, e.message, e.detail, e.hint
	FROM unnest(ARRAY['(h)', '(b)', '(h vector_l2_ops)', '(h bit_hamming_ops)', '(b halfvec_l2_ops)', '(u halfvec_l2_ops)', '(w bit_hamming_ops)',
		'(x bit_hamming_ops)', '(x bit_jaccard_ops)', '((x::bit(3)) bit_hamming_ops)', '((h::text::varbit) bit_hamming_ops)'
	]) WITH ORDINALITY AS t (statement, n),
	error_of('CREATE INDEX ON indexed USING hnsw ' || statement) AS e
	ORDER BY n;
DROP TABLE indexed;

DROP FUNCTION error_of;
