-- Spans say how much of them has no picture, in breaks too short to be gaps.

ALTER TABLE ledger_rows ADD COLUMN lossy_sec double precision NOT NULL DEFAULT 0;
