-- index.sql: the index that the searches use.
CREATE INDEX packages_embedding ON packages
	USING hnsw (embedding vector_cosine_ops);
