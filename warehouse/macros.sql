-- No row for a measure or rate that exists, an error that says where the names are for one that does not.
CREATE MACRO measure_known(in_measure) AS TABLE
SELECT said AS note
FROM (
    SELECT CASE WHEN count(*) = 0 THEN error('there is no measure or rate ' || in_measure
        || '; see SELECT DISTINCT measure FROM measures, and SELECT DISTINCT rate FROM rate_definitions') END AS said
    FROM (SELECT measure FROM measures UNION ALL SELECT rate FROM rate_definitions) known
    WHERE known.measure = in_measure
)
WHERE said IS NOT NULL;

-- No row for a name that agencies bear, an error that says where the names are for one that none bears.
CREATE MACRO agency_known(in_name) AS TABLE
SELECT said AS note
FROM (
    SELECT CASE WHEN count(*) = 0 THEN error('no agency is called ' || in_name
        || '; see SELECT agency_id, name FROM agencies') END AS said
    FROM agencies a WHERE contains(a.name, in_name) OR a.agency_id = in_name
)
WHERE said IS NOT NULL;

-- One measure or rate of one year over all agencies: its value, whether it compares, and the place among peers; `note`
-- says why one of these is missing.
CREATE MACRO compare_agencies(in_year, in_measure) AS TABLE
SELECT v.agency_id, v.agency_name, v.region_code, v.level, v.kind, v.function, v.value, v.unit, v.form,
    v.comparable, coalesce(v.missing, CASE WHEN v.comparable <> 'yes' THEN v.why END,
        CASE WHEN v.is_small_n THEN 'no place among peers: too few cases'
            WHEN v.level IS NULL THEN 'no place among peers: its level is not known' END, p.reason) AS note,
    p.n_peers, p.median, p.percentile, p.rank, v.report_id
FROM (SELECT * FROM comparable_values c WHERE c.year = in_year AND c.measure = in_measure) v
LEFT JOIN (SELECT * FROM peers q WHERE q.year = in_year AND q.measure = in_measure) p USING (agency_id)
UNION ALL BY NAME
SELECT note FROM measure_known(in_measure)
ORDER BY value DESC NULLS LAST, agency_id;

-- One measure or rate over the years of every agency whose name holds the given text. A measure is followed through
-- renames and mergers; a rate is each agency's own, and its change is given in the same unit (0.05 is five points).
CREATE MACRO agency_trend(in_name, in_measure) AS TABLE
SELECT t.agency_id, t.agency_name, t.year, t.value::DOUBLE AS value, t.unit, t.change::DOUBLE AS change,
    t.change_percent, t.form, t.reported_by, t.reason
FROM trends t
WHERE t.measure = in_measure
    AND t.agency_id IN (SELECT a.agency_id FROM agencies a WHERE contains(a.name, in_name) OR a.agency_id = in_name)
UNION ALL BY NAME
SELECT r.agency_id, a.name AS agency_name, r.year, r.rate AS value, 'share' AS unit, r.rate - r.rate_before AS change,
    NULL::DOUBLE AS change_percent, r.form, r.agency_name AS reported_by, r.reason
FROM rates r JOIN agencies a USING (agency_id)
WHERE r.measure = in_measure AND (contains(a.name, in_name) OR a.agency_id = in_name)
UNION ALL BY NAME
SELECT note AS reason FROM measure_known(in_measure)
UNION ALL BY NAME
SELECT note AS reason FROM agency_known(in_name)
ORDER BY agency_id, year;

-- The way back of one number: report, page, snapshot, archive file, table, row, column, text.
CREATE MACRO trace(in_report, in_indicator, in_applicant) AS TABLE
SELECT o.report_id, r.agency_name, o.year, o.indicator, o.applicant, o.value, o.unit, o.value_kind, o.raw_text,
    split_part(o.cell, ':', 1)::INTEGER AS table_number, split_part(o.cell, ':', 2)::INTEGER AS row_number,
    split_part(o.cell, ':', 3)::INTEGER AS column_number,
    r.source_url, r.fetched_at, r.snapshot_sha256, r.warc_path, r.warc_offset, r.extractor_version, o.is_current
FROM observation_versions o JOIN reports r ON r.report_id = o.report_id
WHERE o.report_id = in_report AND o.indicator = in_indicator
    AND (o.applicant = in_applicant OR (in_applicant IS NULL AND o.applicant IS NULL));

-- The cells that were in force at a moment (UTC): of each agency and year the version then newest.
CREATE MACRO observations_as_of(moment) AS TABLE
SELECT o.* EXCLUDE (is_current)
FROM observation_versions o
WHERE o.report_id IN (
    SELECT r.report_id FROM reports r WHERE r.fetched_at <= moment::TIMESTAMP
    QUALIFY row_number() OVER (
        PARTITION BY r.agency_id, r.year
        ORDER BY r.status = 'read' DESC,
            r.fetched_at + CASE WHEN r.carrier IN ('pdf', 'image') THEN INTERVAL 0 DAY ELSE INTERVAL 7 DAY END DESC,
            r.published_on DESC NULLS LAST, r.source_url DESC
    ) = 1
);
