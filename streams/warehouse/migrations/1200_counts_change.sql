-- A replicated table takes a part for a repeat if an equal one was attached before: no two changes of the counts may be equal (ADR 0173).

ALTER TABLE counts /*cluster*/
    ADD COLUMN IF NOT EXISTS `change` Int64 COMMENT 'Which change it came with: the sum of the offsets the counts then reached. Makes every change differ from every other; of merged rows it is that of one of them.' AFTER persons;

ALTER TABLE counts_next /*cluster*/
    ADD COLUMN IF NOT EXISTS `change` Int64 COMMENT 'As in counts.' AFTER persons;
