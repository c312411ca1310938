package maxbrod;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.kafka.common.record.ControlRecordType;
import org.apache.kafka.common.record.DefaultRecordBatch;
import org.apache.kafka.common.record.EndTransactionMarker;
import org.apache.kafka.common.record.MemoryRecords;
import org.apache.kafka.common.record.RecordBatch;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.utils.Crc32C;

/** Answers to a fetch: several batches, transactions that overlap, and what a reader must see of them. */
final class GoldenLogs {
  private static final long time = 1_700_000_000_000L;
  private static final int p1 = 71;
  private static final int p2 = 72;

  static void addTo(Golden golden) throws Exception {
    golden.addLog("log-overlapping", "two producers overlap; the one that began later aborts first, so it is listed first",
        0, List.of(new long[] {p2, 1}, new long[] {p1, 0}), List.of(6L, 8L),
        data(0, p1, 0, "a"), data(1, p2, 0, "b"), data(2, p1, 1, "c"), abort(3, p2), data(4, p1, 2, "d"), abort(5, p1),
        data(6, p2, 1, "kept"), commit(7, p2), plain(8, "kept"));
    golden.addLog("log-two-aborts", "one producer aborts, commits and aborts again",
        0, List.of(new long[] {p1, 0}, new long[] {p1, 4}), List.of(2L),
        data(0, p1, 0, "a"), abort(1, p1), data(2, p1, 1, "kept"), commit(3, p1), data(4, p1, 2, "b"), abort(5, p1));
    golden.addLog("log-marker-outside", "the abort marker comes in a later answer",
        0, List.of(new long[] {p1, 0}), List.of(1L), data(0, p1, 0, "a"), plain(1, "kept"), data(2, p1, 1, "b"));
    golden.addLog("log-from-marker", "the fetch begins at the abort marker; what the producer writes next is committed",
        3, List.of(new long[] {p1, 0}), List.of(4L), abort(3, p1), data(4, p1, 2, "kept"), commit(5, p1));
    golden.addLog("log-int-key-zero", "an aborted record whose key looks like an abort marker ends nothing",
        0, List.of(new long[] {p1, 0}), List.of(), data(0, p1, 0, "\0\0\0\0"), data(1, p1, 1, "b"), abort(2, p1));
    golden.addLog("log-emptied-marker", "compaction emptied a marker whose transaction is gone",
        0, List.of(), List.of(2L), emptied(0, 1, p1), data(2, p1, 5, "kept"), commit(3, p1));
    golden.addLog("log-inside-batch", "the fetch begins inside a batch: what lies before is not for the reader",
        12, List.of(), List.of(12L, 13L), data(10, p1, 0, "a", "b", "c"), plain(13, "d"));
    byte[] whole = plain(1, "whole");
    golden.addLog("log-partial-tail", "the answer ends in the middle of a batch, as a limit of bytes cuts it",
        0, List.of(), List.of(0L, 1L), plain(0, "whole"), whole, Arrays.copyOf(plain(2, "cut off"), 65));
    golden.addLog("log-gap-at-end", "compaction took the last records of a batch: the next fetch begins behind its range",
        0, List.of(), List.of(0L), withRange(plain(0, "kept"), 999));
  }

  /** Records of a transaction, or the last ones of it. */
  static byte[] data(long baseOffset, long producerId, int baseSequence, String... keys) throws Exception {
    Wire.Shape shape = new Wire.Shape();
    shape.producerId = producerId;
    shape.producerEpoch = 0;
    shape.baseSequence = baseSequence;
    shape.isTransactional = true;
    return batch(baseOffset, shape, keys);
  }

  private static byte[] plain(long baseOffset, String... keys) throws Exception {
    return batch(baseOffset, new Wire.Shape(), keys);
  }

  private static byte[] batch(long baseOffset, Wire.Shape shape, String... keys) throws Exception {
    List<Wire.Row> rows = new ArrayList<>();
    for (String key : keys) rows.add(GoldenBatches.row(baseOffset + rows.size(), time + baseOffset, key, "value of " + key));
    return Wire.batch(rows, shape);
  }

  private static byte[] abort(long offset, long producerId) {
    return marker(offset, producerId, ControlRecordType.ABORT);
  }

  private static byte[] commit(long offset, long producerId) {
    return marker(offset, producerId, ControlRecordType.COMMIT);
  }

  private static byte[] marker(long offset, long producerId, ControlRecordType type) {
    EndTransactionMarker end = new EndTransactionMarker(type, 0);
    return GoldenBatches.bytes(MemoryRecords.withEndTransactionMarker(offset, time + offset, 0, producerId, (short) 0, end).buffer());
  }

  private static byte[] emptied(long baseOffset, long lastOffset, long producerId) {
    ByteBuffer empty = ByteBuffer.allocate(DefaultRecordBatch.RECORD_BATCH_OVERHEAD);
    DefaultRecordBatch.writeEmptyHeader(empty, RecordBatch.MAGIC_VALUE_V2, producerId, (short) 0, -1, baseOffset, lastOffset, 0,
        TimestampType.CREATE_TIME, time, true, true);
    return empty.array();
  }

  /** The batch with another last offset: its range is longer than its records. */
  private static byte[] withRange(byte[] batch, long lastOffset) {
    ByteBuffer buffer = ByteBuffer.wrap(batch);
    MemoryRecords records = MemoryRecords.readableRecords(buffer);
    var only = (DefaultRecordBatch) records.batches().iterator().next();
    // Where the header has the last offset's delta, then the checksum over all that comes after it.
    buffer.putInt(23, (int) (lastOffset - only.baseOffset()));
    buffer.putInt(17, (int) Crc32C.compute(batch, 21, batch.length - 21));
    return batch;
  }
}
