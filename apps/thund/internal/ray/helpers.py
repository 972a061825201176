

def files(pattern):
    """The files of a pattern, in the order of their names."""
    found = [pattern] if os.path.exists(pattern) else sorted(glob.glob(pattern))
    if not found:
        sys.exit(f"there is no file {pattern}")
    return found


def shape(table, names, casts):
    """The columns of a source, in the order of the graph."""
    table = table.select(names)
    for name, to in casts.items():
        at = table.column_names.index(name)
        table = table.set_column(at, name, table[name].cast(to))
    return table


def read_ipc(path):
    """An Arrow file, or a stream."""
    with pa.memory_map(path) as source:
        if source.read(6) == b"ARROW1":
            return pa.ipc.open_file(source).read_all()
        source.seek(0)
        return pa.ipc.open_stream(source).read_all()


def write_ipc(dataset, path):
    """One Arrow file, written by this process."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with pa.ipc.new_file(path + ".part", dataset.schema().base_schema) as sink:
        for table in dataset.iter_batches(batch_format="pyarrow", batch_size=None):
            sink.write(table)
    os.replace(path + ".part", path)


def of_group(stage):
    """A stage as a plain function, which map_groups needs."""
    def run(table):
        return stage(table)
    return run


def fresh(path):
    """A folder for the files of a sink: what an earlier job has written is removed."""
    if os.path.isfile(path):
        os.remove(path)
    shutil.rmtree(path, ignore_errors=True)
    return path

