"""One table of labelled and described sites, in memory and on disk.

table         Table, Columns: the schema
zarr_table    TableWriter, write_table, read_table: a Zarr v3 group
export        export_npz, export_csv
provenance    provenance: where a table comes from
plausible     samples that are probably not what was meant
label_thermal label_thermal, thermal_labels, majority_species
label_shear   label_shear, shear_sites
sheared       Event, ShearedSample, is_event
"""
