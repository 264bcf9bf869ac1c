-- What was published, as it was published: the only table the publisher of statistics reads, and the memory of disclosure control.

CREATE TABLE IF NOT EXISTS published_figures /*cluster*/
(
    `name` LowCardinality(String) COMMENT 'Name of the published table: the mart and what it was counted by, e.g. mart_alerts oblast,grade:alerts.',
    `released_at` DateTime64(3, 'UTC') COMMENT 'When it was published: UTC.',
    `row` String COMMENT 'Value of the first dimension; * is the total.',
    `column` String COMMENT 'Value of the second dimension; * is the total, empty where there is one dimension.',
    `figure` Nullable(Int64) COMMENT 'The figure, rounded; NULL: suppressed. Unit: that of the counted column.'
)
ENGINE = /*replicated*/ReplacingMergeTree()
ORDER BY (name, released_at, row, column)
COMMENT 'Figures that went through disclosure control (ADR 0110), release by release.';
