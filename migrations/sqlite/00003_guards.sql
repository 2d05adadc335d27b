-- Evidence is append-only. Only a transaction that prunes or redacts, which marks
-- itself by a setting, may take from it.

-- +goose Up
-- +goose StatementBegin
CREATE TRIGGER response_delete BEFORE DELETE ON response WHEN NOT EXISTS (SELECT 1 FROM setting WHERE name = 'erasing')
BEGIN SELECT raise(ABORT, 'responses are append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER response_update BEFORE UPDATE ON response WHEN NOT EXISTS (SELECT 1 FROM setting WHERE name = 'erasing')
BEGIN SELECT raise(ABORT, 'responses are append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER fact_delete BEFORE DELETE ON fact WHEN NOT EXISTS (SELECT 1 FROM setting WHERE name = 'erasing')
BEGIN SELECT raise(ABORT, 'facts are append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER fact_update BEFORE UPDATE ON fact WHEN NOT EXISTS (SELECT 1 FROM setting WHERE name = 'erasing')
BEGIN SELECT raise(ABORT, 'facts are append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER value_delete BEFORE DELETE ON value WHEN NOT EXISTS (SELECT 1 FROM setting WHERE name = 'erasing')
BEGIN SELECT raise(ABORT, 'values are append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER value_update BEFORE UPDATE ON value WHEN NOT EXISTS (SELECT 1 FROM setting WHERE name = 'erasing')
BEGIN SELECT raise(ABORT, 'values are append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER icon_delete BEFORE DELETE ON icon WHEN NOT EXISTS (SELECT 1 FROM setting WHERE name = 'erasing')
BEGIN SELECT raise(ABORT, 'icons are append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER icon_update BEFORE UPDATE ON icon WHEN NOT EXISTS (SELECT 1 FROM setting WHERE name = 'erasing')
BEGIN SELECT raise(ABORT, 'icons are append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER usage_delete BEFORE DELETE ON usage WHEN NOT EXISTS (SELECT 1 FROM setting WHERE name = 'erasing')
BEGIN SELECT raise(ABORT, 'usage are append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER usage_update BEFORE UPDATE ON usage WHEN NOT EXISTS (SELECT 1 FROM setting WHERE name = 'erasing')
BEGIN SELECT raise(ABORT, 'usage are append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER entry_delete BEFORE DELETE ON entry WHEN NOT EXISTS (SELECT 1 FROM setting WHERE name = 'erasing')
BEGIN SELECT raise(ABORT, 'entries are append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER entry_update BEFORE UPDATE ON entry WHEN NOT EXISTS (SELECT 1 FROM setting WHERE name = 'erasing')
BEGIN SELECT raise(ABORT, 'entries are append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER failure_delete BEFORE DELETE ON failure WHEN NOT EXISTS (SELECT 1 FROM setting WHERE name = 'erasing')
BEGIN SELECT raise(ABORT, 'failures are append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER failure_update BEFORE UPDATE ON failure WHEN NOT EXISTS (SELECT 1 FROM setting WHERE name = 'erasing')
BEGIN SELECT raise(ABORT, 'failures are append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER account_delete BEFORE DELETE ON account WHEN NOT EXISTS (SELECT 1 FROM setting WHERE name = 'erasing')
BEGIN SELECT raise(ABORT, 'accounts are append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER account_update BEFORE UPDATE ON account WHEN NOT EXISTS (SELECT 1 FROM setting WHERE name = 'erasing')
BEGIN SELECT raise(ABORT, 'accounts are append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER name_delete BEFORE DELETE ON name WHEN NOT EXISTS (SELECT 1 FROM setting WHERE name = 'erasing')
BEGIN SELECT raise(ABORT, 'names are append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER name_update BEFORE UPDATE ON name WHEN NOT EXISTS (SELECT 1 FROM setting WHERE name = 'erasing')
BEGIN SELECT raise(ABORT, 'names are append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER shown_delete BEFORE DELETE ON shown BEGIN SELECT raise(ABORT, 'what was shown is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER shown_update BEFORE UPDATE ON shown WHEN old.last <> 9223372036854775807
BEGIN SELECT raise(ABORT, 'a stay ends once'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER run_delete BEFORE DELETE ON run BEGIN SELECT raise(ABORT, 'runs are append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER run_update BEFORE UPDATE ON run WHEN old.state <> 'running'
BEGIN SELECT raise(ABORT, 'a finished run is append-only'); END;
-- +goose StatementEnd

-- +goose Down
DROP TRIGGER run_update;
DROP TRIGGER run_delete;
DROP TRIGGER shown_update;
DROP TRIGGER shown_delete;
DROP TRIGGER name_update;
DROP TRIGGER name_delete;
DROP TRIGGER account_update;
DROP TRIGGER account_delete;
DROP TRIGGER failure_update;
DROP TRIGGER failure_delete;
DROP TRIGGER entry_update;
DROP TRIGGER entry_delete;
DROP TRIGGER usage_update;
DROP TRIGGER usage_delete;
DROP TRIGGER icon_update;
DROP TRIGGER icon_delete;
DROP TRIGGER value_update;
DROP TRIGGER value_delete;
DROP TRIGGER fact_update;
DROP TRIGGER fact_delete;
DROP TRIGGER response_update;
DROP TRIGGER response_delete;
