-- One measure of one agency over the years, through renames and mergers. A change is given only where the years count
-- alike; otherwise it is NULL and `reason` says why.
WITH lines AS (
    SELECT agency_id, year, member_agency_id, break_reason, count(*) OVER (PARTITION BY agency_id, year) AS members
    FROM agency_members
    UNION ALL
    SELECT agency_id, year, agency_id, NULL, 1 FROM agency_year
    WHERE agency_id NOT IN (SELECT agency_id FROM agency_members)
), told AS (
    SELECT l.agency_id, l.year, v.measure, any_value(v.unit) AS unit, any_value(l.members) AS members,
        CASE WHEN any_value(l.members) = 1 THEN any_value(v.agency_name)
            ELSE array_to_string(list_sort(list_distinct(list(v.agency_name) FILTER (l.members > 1))), ', ') END
            AS reported_by,
        sum(v.value) AS value, count(v.value) AS numbers, min(v.form) AS form, min(v.series) AS series,
        min(v.series) <> max(v.series) AS is_mixed, min(v.why) AS why, max(l.break_reason) AS break_reason,
        min(v.missing) AS missing
    FROM lines l
    JOIN measure_values v ON v.agency_id = l.member_agency_id AND v.year = l.year
    GROUP BY l.agency_id, l.year, v.measure
), points AS (
    SELECT agency_id, year, measure, unit, members, reported_by, form, series, why,
        CASE WHEN break_reason IS NULL AND numbers = members AND is_mixed IS NOT true THEN value END AS value,
        CASE WHEN break_reason IS NOT NULL THEN break_reason
            WHEN members = 1 THEN missing
            WHEN numbers < members THEN 'only ' || numbers || ' of ' || members || ' reports give a number'
            WHEN is_mixed THEN 'the members used forms that do not compare' END AS missing
    FROM told
), followed AS (
    SELECT *, lag(year) OVER line AS year_before, lag(value) OVER line AS earlier, lag(series) OVER line AS series_before,
        lag(form) OVER line AS form_before, lag(why) OVER line AS why_before, lag(missing) OVER line AS missing_before
    FROM points
    WINDOW line AS (PARTITION BY agency_id, measure ORDER BY year)
), compared AS (
    SELECT *, year_before = year - 1 AND series = series_before AS compares FROM followed
)
SELECT c.agency_id, a.name AS agency_name, c.measure, c.unit, c.year, c.value, c.form, c.members, c.reported_by,
    CASE WHEN compares THEN earlier END AS value_before,
    CASE WHEN compares THEN c.value - earlier END AS change,
    CASE WHEN compares AND earlier <> 0 THEN 100 * (c.value - earlier)::DOUBLE / abs(earlier)::DOUBLE END
        AS change_percent,
    CASE WHEN c.value IS NULL THEN c.missing
        WHEN year_before IS DISTINCT FROM c.year - 1 THEN 'no report of the year before'
        WHEN earlier IS NULL THEN 'year before: ' || missing_before
        WHEN c.series IS DISTINCT FROM series_before THEN 'forms ' || form_before || ' and ' || c.form
            || ' do not compare: ' || coalesce(why_before, c.why, 'counted otherwise') END AS reason
FROM compared c
JOIN agencies a ON a.agency_id = c.agency_id
