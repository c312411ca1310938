package maxbrod;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.util.List;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.record.DefaultRecordBatch;
import org.apache.kafka.common.record.RecordBatch;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.utils.ByteBufferOutputStream;
import org.apache.kafka.common.utils.ByteUtils;
import org.apache.kafka.common.utils.Crc32C;

/**
 * RecordBatches that Kafka's own builder refuses to build but its readers and brokers accept: negative timestamps,
 * header names that are not UTF-8, any attribute. Codecs and the checksum are Kafka's.
 */
final class Wire {
  record Row(long offset, long timestamp, byte[] key, byte[] value, Header[] headers) {}

  /** What the header of the batch says. */
  static final class Shape {
    Compression codec = Compression.NONE;
    TimestampType timestampType = TimestampType.CREATE_TIME;
    /** Otherwise taken from the records. Under LOG_APPEND_TIME the maximum is the time of the append. */
    Long baseOffset;
    Long baseTimestamp;
    Long maxTimestamp;
    Long lastOffset;
    long producerId = RecordBatch.NO_PRODUCER_ID;
    short producerEpoch = RecordBatch.NO_PRODUCER_EPOCH;
    int baseSequence = RecordBatch.NO_SEQUENCE;
    boolean isTransactional;
    boolean isControl;
    boolean hasDeleteHorizon;
    int leaderEpoch = 0;

    Shape codec(Compression value) {
      codec = value;
      return this;
    }
  }

  static Header header(byte[] name, byte[] value) {
    return new RecordHeader(ByteBuffer.wrap(name), value == null ? null : ByteBuffer.wrap(value));
  }

  static byte[] batch(List<Row> rows, Shape shape) throws IOException {
    long baseOffset = shape.baseOffset != null ? shape.baseOffset : rows.get(0).offset();
    long lastOffset = shape.lastOffset != null ? shape.lastOffset : rows.get(rows.size() - 1).offset();
    long baseTimestamp = shape.baseTimestamp != null ? shape.baseTimestamp : rows.get(0).timestamp();
    long maxTimestamp = shape.maxTimestamp != null
        ? shape.maxTimestamp
        : rows.stream().mapToLong(Row::timestamp).max().orElseThrow();

    ByteBufferOutputStream payload = new ByteBufferOutputStream(1 << 16);
    try (OutputStream compressed = shape.codec.wrapForOutput(payload, RecordBatch.MAGIC_VALUE_V2);
        DataOutputStream out = new DataOutputStream(compressed)) {
      for (Row row : rows) write(out, row, baseOffset, baseTimestamp);
    }
    ByteBuffer records = payload.buffer();
    records.flip();

    // By hand: DefaultRecordBatch.writeHeader refuses negative timestamps.
    ByteBuffer batch = ByteBuffer.allocate(DefaultRecordBatch.RECORD_BATCH_OVERHEAD + records.remaining());
    batch.putLong(baseOffset);
    batch.putInt(batch.capacity() - Long.BYTES - Integer.BYTES);
    batch.putInt(shape.leaderEpoch);
    batch.put(RecordBatch.MAGIC_VALUE_V2);
    int checksumAt = batch.position();
    batch.putInt(0);
    batch.putShort(attributes(shape));
    batch.putInt((int) (lastOffset - baseOffset));
    batch.putLong(baseTimestamp).putLong(maxTimestamp);
    batch.putLong(shape.producerId).putShort(shape.producerEpoch).putInt(shape.baseSequence);
    batch.putInt(rows.size());
    batch.put(records);
    int checkedFrom = checksumAt + Integer.BYTES;
    batch.putInt(checksumAt, (int) Crc32C.compute(batch, checkedFrom - batch.position(), batch.capacity() - checkedFrom));
    return batch.array();
  }

  private static short attributes(Shape shape) {
    int bits = shape.codec.type().id;
    if (shape.timestampType == TimestampType.LOG_APPEND_TIME) bits |= 1 << 3;
    if (shape.isTransactional) bits |= 1 << 4;
    if (shape.isControl) bits |= 1 << 5;
    if (shape.hasDeleteHorizon) bits |= 1 << 6;
    return (short) bits;
  }

  private static void write(DataOutputStream out, Row row, long baseOffset, long baseTimestamp) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    DataOutputStream body = new DataOutputStream(bytes);
    body.write(0);
    ByteUtils.writeVarlong(row.timestamp() - baseTimestamp, body);
    ByteUtils.writeVarint((int) (row.offset() - baseOffset), body);
    writePart(body, row.key());
    writePart(body, row.value());
    ByteUtils.writeVarint(row.headers().length, body);
    for (Header header : row.headers()) {
      writePart(body, Canon.nameOf(header));
      writePart(body, header.value());
    }
    ByteUtils.writeVarint(bytes.size(), out);
    bytes.writeTo(out);
  }

  private static void writePart(DataOutputStream out, byte[] part) throws IOException {
    ByteUtils.writeVarint(part == null ? -1 : part.length, out);
    if (part != null) out.write(part);
  }
}
