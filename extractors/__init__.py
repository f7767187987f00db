"""From a URL or a saved file to cells: portals, fetching, archive, readers, forms. Never SQL, never Prefect."""
