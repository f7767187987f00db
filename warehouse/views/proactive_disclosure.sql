-- What agencies published without being asked; a column is NULL where the year's form does not print it.
SELECT agency_id, agency_name, region_code, level, kind, function, year, report_id, form,
    regulations_made, regulations_published, regulations_public_total, regulations_repealed, regulations_in_force,
    normative_documents_made, normative_documents_published, normative_documents_public_total,
    normative_documents_repealed, normative_documents_in_force,
    licensing_decisions, penalties_decisions, coercion_decisions, other_services_decisions,
    fees_amount, procurement_projects, procurement_amount, published_items
FROM agency_year
