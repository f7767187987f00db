-- Measures and rates side by side, one row an agency, year and measure, with what to know before comparing it.
SELECT agency_id, agency_name, region_code, level, kind, function, year, report_id, form, measure,
    value::DOUBLE AS value, unit, comparable, series, why, missing, false AS is_small_n
FROM measure_values
UNION ALL
SELECT agency_id, agency_name, region_code, level, kind, function, year, report_id, form, measure,
    rate, 'share', CASE WHEN series = 'today' THEN 'yes' ELSE 'limited' END, series, why, missing, is_small_n
FROM rates
