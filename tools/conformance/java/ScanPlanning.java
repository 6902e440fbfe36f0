import java.util.*;
import java.util.stream.*;
import org.apache.iceberg.*;
import org.apache.iceberg.catalog.*;
import org.apache.iceberg.expressions.*;
import org.apache.iceberg.rest.RESTCatalog;
import org.apache.iceberg.types.*;
import org.apache.iceberg.util.ByteBuffers;
import static org.apache.iceberg.expressions.Expressions.*;
import static org.apache.iceberg.types.Types.NestedField.*;

/**
 * Makes tables whose files are only described, plans scans of them by itself and through the server, and prints one
 * line for each: its name, "same" or "different", the number of tasks, and what differs. Lines that start with
 * "appended" tell the files that an incremental scan finds.
 */
public class ScanPlanning {
  static final Namespace NS = Namespace.of("planning");

  public static void main(String[] args) throws Exception {
    try (RESTCatalog local = open(args[0], "client"); RESTCatalog remote = open(args[0], "server")) {
      local.createNamespace(NS);
      partitioned(local, remote);
      vectors(local, remote);
      many(local, remote);
    }
  }

  static RESTCatalog open(String uri, String mode) {
    RESTCatalog catalog = new RESTCatalog();
    catalog.initialize(mode, Map.of("uri", uri, "io-impl", "org.apache.iceberg.hadoop.HadoopFileIO",
        "scan-planning-mode", mode, "rest-metrics-reporting-enabled", "false"));
    return catalog;
  }

  static final Schema SCHEMA = new Schema(
      required(1, "id", Types.LongType.get()),
      optional(2, "category", Types.StringType.get()),
      optional(3, "ts", Types.TimestampType.withZone()),
      optional(4, "price", Types.DecimalType.of(9, 2)),
      optional(5, "score", Types.DoubleType.get()),
      optional(6, "raw", Types.BinaryType.get()),
      optional(7, "place", Types.StructType.of(optional(8, "town", Types.StringType.get()))));

  static DataFile file(Table table, String name, int id, Object... partition) {
    DataFiles.Builder builder = DataFiles.builder(table.spec())
        .withPath(table.location() + "/data/" + name + ".parquet").withFormat(FileFormat.PARQUET)
        .withFileSizeInBytes(1000 + id).withMetrics(metrics(id)).withSplitOffsets(List.of(4L, 500L));
    if (partition.length > 0) builder.withPartition(row(table.spec(), partition));
    return builder.build();
  }

  static Metrics metrics(int id) {
    return new Metrics(10L, Map.of(1, 80L, 2, 90L), Map.of(1, 10L, 2, 10L), Map.of(1, 0L, 2, 2L), Map.of(5, 1L),
        Map.of(1, Conversions.toByteBuffer(Types.LongType.get(), (long) id), 2, Conversions.toByteBuffer(Types.StringType.get(), "a")),
        Map.of(1, Conversions.toByteBuffer(Types.LongType.get(), (long) id + 9), 2, Conversions.toByteBuffer(Types.StringType.get(), "k")));
  }

  static PartitionData row(PartitionSpec spec, Object... values) {
    PartitionData data = new PartitionData(spec.partitionType());
    for (int at = 0; at < values.length; at++) data.set(at, values[at]);
    return data;
  }

  static void partitioned(RESTCatalog local, RESTCatalog remote) {
    TableIdentifier name = TableIdentifier.of(NS, "partitioned");
    PartitionSpec spec = PartitionSpec.builderFor(SCHEMA).identity("category").day("ts").identity("score").build();
    Table table = local.createTable(name, SCHEMA, spec);
    for (int at = 0; at < 6; at++)
      table.newAppend().appendFile(file(table, "a" + at, at * 10, at == 5 ? null : "c" + at % 3, 19000 + at, (double) at)).commit();
    long first = table.history().get(0).snapshotId();
    long third = table.history().get(2).snapshotId();
    table.manageSnapshots().createTag("start", first).createBranch("side", third).commit();
    PartitionSpec old = table.spec();
    table.updateSpec().addField("bucket4", bucket("id", 4)).removeField("score").commit();
    table.refresh();
    for (int at = 6; at < 9; at++)
      table.newFastAppend().appendFile(file(table, "b" + at, at * 10, "c" + at % 3, 19000 + at, at % 4)).commit();
    table.newRowDelta()
        .addDeletes(deletes(table, old, "pos-partition", "c1", 19001, 1.0))
        .addDeletes(FileMetadata.deleteFileBuilder(old).ofPositionDeletes().withPath(table.location() + "/data/pos-file.parquet")
            .withFormat(FileFormat.PARQUET).withFileSizeInBytes(50).withRecordCount(1).withPartition(row(old, "c2", 19002, 2.0))
            .withReferencedDataFile(table.location() + "/data/a2.parquet").build())
        .addDeletes(FileMetadata.deleteFileBuilder(table.spec()).ofEqualityDeletes(1, 2).withPath(table.location() + "/data/eq.parquet")
            .withFormat(FileFormat.PARQUET).withFileSizeInBytes(50).withRecordCount(1).withPartition(row(table.spec(), "c0", 19006, 2)).build())
        .commit();
    table.newAppend().appendFile(file(table, "late", 500, "c1", 19001, 1)).commit();
    table.newDelete().deleteFile(table.location() + "/data/a3.parquet").commit();
    table.updateSchema().renameColumn("category", "kind").addColumn("extra", Types.IntegerType.get()).commit();
    table.newAppend().appendFile(file(table, "last", 900, "c9", 19100, 3)).commit();
    appended(table, first, table.currentSnapshot().snapshotId());
    appended(table, third, table.history().get(7).snapshotId());
    Expression[] filters = {
        alwaysTrue(), equal("kind", "c1"), notEqual("kind", "c1"), in("score", 0.0, 2.0, 7.5), notIn("score", 0.0, 2.0),
        isNull("kind"), notNull("kind"), startsWith("kind", "c"), not(startsWith("place.town", "U")),
        greaterThan("id", 45), lessThanOrEqual("id", 20L), not(and(greaterThan("id", 20), lessThan("id", 60))),
        greaterThanOrEqual("ts", "2022-01-10T00:00:00+00:00"), lessThan("ts", 1641945600000000L),
        or(equal("kind", "c1"), equal("score", 4.0)), equal("score", 3), isNaN("score"), notNaN("score"),
        equal("price", "1.50"), equal("place.town", "Ulm"), isNull("extra"),
        equal(bucket("id", 4), 2), and(equal(day("ts"), "2022-01-10"), lessThan("id", 100)), not(equal(day("ts"), "2022-01-10")),
    };
    for (Expression filter : filters) {
      compare("partitioned " + filter, local, remote, name, scan -> scan.filter(filter));
    }
    compare("case-insensitive", local, remote, name, scan -> scan.caseSensitive(false).filter(equal("KIND", "c1")));
    compare("stats of two columns", local, remote, name, scan -> scan.includeColumnStats(List.of("id", "kind")));
    compare("projected", local, remote, name, scan -> scan.select("id", "place.town").filter(greaterThan("id", 45)));
    compare("old snapshot", local, remote, name, scan -> scan.useSnapshot(third).filter(greaterThan("id", 5)));
    compare("tag", local, remote, name, scan -> scan.useRef("start"));
    compare("branch", local, remote, name, scan -> scan.useRef("side").filter(greaterThan("id", 5)));
  }

  static DeleteFile deletes(Table table, PartitionSpec spec, String name, Object... partition) {
    return FileMetadata.deleteFileBuilder(spec).ofPositionDeletes().withPath(table.location() + "/data/" + name + ".parquet")
        .withFormat(FileFormat.PARQUET).withFileSizeInBytes(50).withRecordCount(1).withPartition(row(spec, partition)).build();
  }

  static void vectors(RESTCatalog local, RESTCatalog remote) {
    TableIdentifier name = TableIdentifier.of(NS, "vectors");
    PartitionSpec spec = PartitionSpec.builderFor(SCHEMA).identity("category").build();
    Table table = local.createTable(name, SCHEMA, spec, Map.of("format-version", "3"));
    AppendFiles append = table.newAppend();
    for (int at = 0; at < 5; at++) append.appendFile(file(table, "v" + at, at * 10, "c" + at % 2));
    append.commit();
    RowDelta delta = table.newRowDelta();
    // One Puffin file with the deletion vectors of three data files.
    for (int at = 0; at < 3; at++)
      delta.addDeletes(FileMetadata.deleteFileBuilder(spec).ofPositionDeletes().withFormat(FileFormat.PUFFIN)
          .withPath(table.location() + "/data/dv.puffin").withFileSizeInBytes(400).withRecordCount(2 + at)
          .withReferencedDataFile(table.location() + "/data/v" + at + ".parquet").withContentOffset(4 + 100 * at)
          .withContentSizeInBytes(40 + at).withPartition(row(spec, "c" + at % 2)).build());
    delta.commit();
    table.newAppend().appendFile(file(table, "v9", 90, "c1")).commit();
    compare("vectors", local, remote, name, scan -> scan);
    compare("vectors filtered", local, remote, name, scan -> scan.filter(and(equal("category", "c0"), greaterThan("id", 5))));
  }

  static void many(RESTCatalog local, RESTCatalog remote) {
    TableIdentifier name = TableIdentifier.of(NS, "many");
    Table table = local.createTable(name, SCHEMA, PartitionSpec.unpartitioned(),
        Map.of("commit.manifest-merge.enabled", "false"));
    for (int commit = 0; commit < 4; commit++) {
      AppendFiles append = table.newFastAppend();
      for (int at = 0; at < 60; at++) append.appendFile(file(table, "m" + commit + "-" + at, commit * 1000 + at));
      append.commit();
    }
    compare("many", local, remote, name, scan -> scan);
    compare("many filtered", local, remote, name, scan -> scan.filter(greaterThan("id", 2050)));
    compare("many, long list", local, remote, name, scan -> scan.filter(in("id", IntStream.range(0, 5000).boxed().toArray())));
    List<FileScanTask> some = tasks(remote.loadTable(name).newScan().minRowsRequested(15));
    long rows = some.stream().mapToLong(task -> task.file().recordCount()).sum();
    report("few rows", rows >= 15 && some.size() < 240, some.size(), rows + " rows");
  }

  static void appended(Table table, long from, long to) {
    IncrementalAppendScan scan = table.newIncrementalAppendScan().fromSnapshotExclusive(from).toSnapshot(to);
    List<String> paths = new ArrayList<>();
    try (var files = scan.planFiles()) { files.forEach(task -> paths.add(task.file().location())); }
    catch (java.io.IOException e) { throw new java.io.UncheckedIOException(e); }
    Collections.sort(paths);
    System.out.println("appended\t" + from + "\t" + to + "\t" + String.join(",", paths));
  }

  interface Refine { TableScan apply(TableScan scan); }

  static void compare(String what, RESTCatalog local, RESTCatalog remote, TableIdentifier name, Refine refine) {
    Table far = remote.loadTable(name);
    if (!far.getClass().getSimpleName().equals("RESTTable")) throw new IllegalStateException("not planned by the server");
    boolean stats = what.startsWith("stats");
    List<String> expected = described(refine.apply(local.loadTable(name).newScan()), stats);
    try {
      List<String> actual = described(refine.apply(far.newScan()), stats);
      String detail = expected.equals(actual) ? "" : "expected " + minus(expected, actual) + " but got " + minus(actual, expected);
      report(what, expected.equals(actual), actual.size(), detail);
    } catch (RuntimeException e) {
      e.printStackTrace();
      report(what, false, -1, e.toString());
    }
  }

  static List<String> minus(List<String> from, List<String> what) {
    return from.stream().filter(item -> !what.contains(item)).limit(3).collect(Collectors.toList());
  }

  static void report(String what, boolean same, int tasks, String detail) {
    String text = what.length() > 120 ? what.substring(0, 120) : what;
    System.out.println(text + "\t" + (same ? "same" : "different") + "\t" + tasks + "\t" + detail.replaceAll("[\\t\\n]", " "));
  }

  static List<FileScanTask> tasks(TableScan scan) {
    List<FileScanTask> tasks = new ArrayList<>();
    try (var files = scan.planFiles()) { files.forEach(tasks::add); }
    catch (java.io.IOException e) { throw new java.io.UncheckedIOException(e); }
    return tasks;
  }

  static List<String> described(TableScan scan, boolean stats) {
    // Filters on transformed columns are widened by the server: files that they rule out have nothing left to match.
    return tasks(scan).stream().filter(task -> task.residual().op() != Expression.Operation.FALSE)
        .map(task -> describe(task, stats)).sorted().collect(Collectors.toList());
  }

  static Map<Integer, String> text(Map<Integer, java.nio.ByteBuffer> bounds) {
    Map<Integer, String> text = new TreeMap<>();
    bounds.forEach((id, bytes) -> text.put(id, HexFormat.of().formatHex(ByteBuffers.toByteArray(bytes))));
    return text;
  }

  static String describe(FileScanTask task, boolean stats) {
    DataFile file = task.file();
    List<String> deletes = task.deletes().stream()
        .map(d -> d.content() + " " + d.location() + " " + d.specId() + " " + d.partition() + " " + d.referencedDataFile() + " "
            + d.contentOffset() + " " + d.contentSizeInBytes() + " " + d.equalityFieldIds() + " " + d.recordCount())
        .sorted().collect(Collectors.toList());
    String metrics = stats ? " " + new TreeMap<>(file.columnSizes()) + new TreeMap<>(file.valueCounts())
        + new TreeMap<>(file.nullValueCounts()) + new TreeMap<>(file.nanValueCounts()) + text(file.lowerBounds()) + text(file.upperBounds()) : "";
    // Literals print by the type they were bound to or not: both sides bind here.
    Expression residual = Binder.bind(task.schema().asStruct(), Expressions.rewriteNot(task.residual()), false);
    return file.location() + " " + file.specId() + " " + file.partition() + " " + file.recordCount() + " " + file.fileSizeInBytes() + " "
        + file.splitOffsets() + " " + file.sortOrderId() + " " + file.firstRowId() + " " + deletes + " " + residual + metrics;
  }
}
