-- Why information was refused, one row a report and reason that its form prints.
SELECT v.agency_id, v.agency_name, v.region_code, v.level, v.kind, v.function, v.year, v.report_id, v.form,
    v.measure AS reason, v.label_en, v.label_zh, v.value AS refused, a.requests_refused AS refused_in_all,
    CASE WHEN a.requests_refused > 0 AND v.value <= a.requests_refused
        THEN v.value::DOUBLE / a.requests_refused::DOUBLE END AS share,
    v.comparable, v.series, v.why
FROM measure_values v JOIN agency_year a USING (report_id)
WHERE v.theme = 'refusals' AND v.formula IS NOT NULL
