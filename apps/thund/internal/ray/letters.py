
_LETTER = "thund_letter"  # a struct: null in a row that is a result
_RETRIED = ("RETRY", "LOST", "TIMEOUT", "BUSY")


class WithLetters:
    """Results, and the rows that still fail as a second set of columns."""

    def __init__(self, stage, node, retries, split):
        self.stage, self.node, self.retries, self.split = stage, node, retries, split

    def __call__(self, table):
        table = table.combine_chunks()
        made = []
        self.run(table, 0, self.retries, made)
        empty = pa.schema(self.stage.output(table.schema)).empty_table()
        found = [part for part, is_letter in made if not is_letter]
        letters = [part for part, is_letter in made if is_letter]
        result = pa.concat_tables([empty, *found])
        of = letters_of(table.slice(0, 0), self.node, "", "", 0)
        bad = pa.concat_tables([of, *letters])
        nulls = [pa.nulls(len(bad), field.type) for field in result.schema]
        columns = [pa.chunked_array([*result.column(i).chunks, nulls[i]], nulls[i].type)
                   for i in range(result.num_columns)]
        structs = bad.to_struct_array()
        letter = pa.chunked_array([pa.nulls(len(result), structs.type), *structs.chunks],
                                  structs.type)
        return pa.table([*columns, letter], [*result.column_names, _LETTER])

    def run(self, piece, first, retries, made):
        for left in range(retries, -1, -1):
            try:
                made.append((pa.table(self.stage(piece)), False))
                return
            except alloy.AlloyError as caught:
                error = caught
                if error.code in ("REFUSED", "NO_MATCH", "NOT_FOUND", "EXHAUSTED"):
                    raise  # no fault of the rows
                if not left or error.code not in _RETRIED:
                    break
        if self.split and len(piece) > 1:
            half = len(piece) // 2
            self.run(piece.slice(0, half), first, 0, made)
            self.run(piece.slice(half), first + half, 0, made)
        else:
            made.append((letters_of(piece, self.node, error.code, error.text, first), True))


def letters_of(piece, node, code, text, first):
    """The rows of a piece as dead letters. On Ray, no batch of a graph has a number."""
    count = len(piece)
    for name, column in (("thund_node", pa.array([node] * count, pa.string())),
                         ("thund_code", pa.array([code] * count, pa.string())),
                         ("thund_text", pa.array([text] * count, pa.string())),
                         ("thund_batch", pa.nulls(count, pa.int64())),
                         ("thund_row", pa.array(range(first, first + count), pa.int64()))):
        piece = piece.append_column(name, column)
    return piece


def results(table):
    return table.filter(table[_LETTER].is_null()).drop_columns([_LETTER])


def dead_letters(table):
    struct = table[_LETTER].combine_chunks()
    if isinstance(struct, pa.ChunkedArray):
        struct = pa.concat_arrays(struct.chunks)
    return pa.Table.from_struct_array(struct.filter(struct.is_valid()))

