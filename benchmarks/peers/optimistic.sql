-- What a conditional write is in SQL: read the version, write if it is still that one.
SELECT version FROM docs WHERE id = :client_id \gset
UPDATE docs SET body = '{"name":"somebody","n":1}', version = version + 1
  WHERE id = :client_id AND version = :version;
