-- How the columns of a table are packed that was made without it: python -m streams.warehouse.ddl codecs employer_decision.

ALTER TABLE raw_employer_decision /*cluster*/
    MODIFY COLUMN IF EXISTS `subject` CODEC(ZSTD(1)),
    MODIFY COLUMN IF EXISTS `occurred_at` CODEC(Delta(8), ZSTD(1)),
    MODIFY COLUMN IF EXISTS `recorded_at` CODEC(Delta(8), ZSTD(1)),
    MODIFY COLUMN IF EXISTS `source` CODEC(ZSTD(1)),
    MODIFY COLUMN IF EXISTS `source_seq` CODEC(Delta(8), ZSTD(1)),
    MODIFY COLUMN IF EXISTS `alert_version` CODEC(ZSTD(1)),
    MODIFY COLUMN IF EXISTS `decision` CODEC(ZSTD(1)),
    MODIFY COLUMN IF EXISTS `officer` CODEC(ZSTD(1)),
    MODIFY COLUMN IF EXISTS `reason` CODEC(ZSTD(1)),
    MODIFY COLUMN IF EXISTS `occurred_on` CODEC(Delta(4), ZSTD(1)),
    MODIFY COLUMN IF EXISTS `topic` CODEC(ZSTD(1)),
    MODIFY COLUMN IF EXISTS `partition` CODEC(ZSTD(1)),
    MODIFY COLUMN IF EXISTS `offset` CODEC(Delta(8), ZSTD(1)),
    MODIFY COLUMN IF EXISTS `received_at` CODEC(Delta(8), ZSTD(1));
