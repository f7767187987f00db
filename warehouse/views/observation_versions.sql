SELECT *, true AS is_current FROM observations
UNION ALL
SELECT *, false AS is_current FROM superseded_observations
