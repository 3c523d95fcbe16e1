"""One table of labelled and described sites, in memory and on disk.

Comes in: configurations, who moved (`observe`), descriptors (`ace`). Goes out: a frozen `Table`,
or a Zarr group written block by block, with its provenance and a checksum of every block.
It never simulates, never learns, and uses no input that is probably not meant without a warning.

table         Table, Columns: the schema
zarr_table    TableWriter, write_table, read_table: a Zarr v3 group
describe      which sites of which configurations, and their features
files         start, ends and configuration of samples in files, paired by their names
particles     labels and targets for every particle of a configuration
export        export_npz, export_csv
provenance    provenance: where a table comes from
plausible     samples that are probably not what was meant; ensembles: and ends of runs
label_thermal label_thermal, thermal_labels, majority_species
label_shear   label_shear, shear_sites
sheared       Event, ShearedSample, is_event
"""
