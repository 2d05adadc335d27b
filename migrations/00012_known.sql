-- What is known of an account, as the latest word on every field: a document that lacks
-- a field says nothing about it. A state is compared with the last document of its own
-- shape, to tell which fields are sent newly or no longer.

-- +goose Up

ALTER TABLE head ADD COLUMN list_shape_id INTEGER; -- the last document of the shape that lists have; NULL: none
ALTER TABLE head ADD COLUMN detail_shape_id INTEGER; -- of the shape that details have
ALTER TABLE head ADD COLUMN reduced_shape_id INTEGER; -- of the shape that the vendor's CLI prints
ALTER TABLE head ADD COLUMN known TEXT; -- JSON; NULL: the only one of these documents

-- +goose Down
ALTER TABLE head DROP COLUMN known;
ALTER TABLE head DROP COLUMN reduced_shape_id;
ALTER TABLE head DROP COLUMN detail_shape_id;
ALTER TABLE head DROP COLUMN list_shape_id;
