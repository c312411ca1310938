package maxbrod;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.compress.Lz4BlockOutputStream;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.record.CompressionType;
import org.apache.kafka.common.record.ControlRecordType;
import org.apache.kafka.common.record.DefaultRecordBatch;
import org.apache.kafka.common.record.EndTransactionMarker;
import org.apache.kafka.common.record.MemoryRecords;
import org.apache.kafka.common.record.MemoryRecordsBuilder;
import org.apache.kafka.common.record.Record;
import org.apache.kafka.common.record.RecordBatch;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.utils.BufferSupplier;
import org.apache.kafka.common.utils.ByteBufferOutputStream;
import org.xerial.snappy.Snappy;

/** Single batches: codecs, sizes, times, offsets, headers, attributes, and the formats before version 2. */
final class GoldenBatches {
  private static final long time = 1_700_000_000_000L;
  private static final Header[] none = {};

  static void addTo(Golden golden) throws Exception {
    for (String codec : List.of("none", "gzip", "snappy", "lz4", "zstd")) addCodec(golden, codec);
    addOtherEncodings(golden);
    addTimes(golden);
    addOffsets(golden);
    addHeaders(golden);
    addAttributes(golden);
    addCompacted(golden);
    addOldFormats(golden);
  }

  private static void addCodec(Golden golden, String codec) throws Exception {
    golden.add(codec + "-empty", "no record, and the payload that the codec makes of nothing", emptyPayload(codec));
    golden.add(codec + "-one", "one record", build(codec, 100, one -> one.append(time, utf8("key"), utf8("value"), none)));
    // 200,000 records in one batch break readers that push them through an argument list; one codec is enough for that.
    int tiny = codec.equals("zstd") ? 200_000 : 2_000;
    golden.add(codec + "-tiny", tiny + " records of a few bytes", build(codec, 0, many -> {
      for (int i = 0; i < tiny; i++) many.append(time + i / 1_000, null, new byte[] {(byte) ('0' + i % 2)}, none);
    }));
    byte[] large = "a value of more than a megabyte, ".repeat(34_000).getBytes(UTF_8);
    golden.add(codec + "-large", "one record of more than 1 MB", build(codec, 7, one -> one.append(time, utf8("k"), large, none)));
  }

  private static void addOtherEncodings(Golden golden) throws Exception {
    List<Wire.Row> rows = new ArrayList<>();
    for (int i = 0; i < 10; i++) rows.add(row(i, time + i, "key " + i, "value ".repeat(200) + i));
    golden.add("snappy-raw", "snappy without the framing of the Java library, as other clients write it",
        Wire.batch(rows, new Wire.Shape().codec(encoding(CompressionType.SNAPPY, bytes -> Snappy.compress(bytes)))));
    golden.add("lz4-block-checksums", "an LZ4 frame with blocks of 1 MiB and a checksum on each",
        Wire.batch(rows, new Wire.Shape().codec(encoding(CompressionType.LZ4, bytes -> {
          ByteArrayOutputStream out = new ByteArrayOutputStream();
          try (OutputStream lz4 = new Lz4BlockOutputStream(out, 6, 9, true, false)) {
            lz4.write(bytes);
          }
          return out.toByteArray();
        }))));
    byte[] noise = new byte[70_000];
    new Random(1).nextBytes(noise);
    Wire.Row incompressible = new Wire.Row(0, time, null, noise, none);
    golden.add("lz4-incompressible", "LZ4 blocks that are stored, because they do not compress",
        Wire.batch(List.of(incompressible), new Wire.Shape().codec(Compression.of("lz4").build())));
  }

  private static void addTimes(Golden golden) throws Exception {
    golden.add("times-back", "timestamps that go back, so with negative deltas, and far apart", Wire.batch(List.of(
        row(0, time, "a", "now"),
        row(1, time - 1, "b", "a ms earlier"),
        row(2, 0, "c", "1970"),
        row(3, time + (1L << 33), "d", "a delta of more than 32 bits")), new Wire.Shape()));
    for (long odd : new long[] {-1, 0, -2, Long.MIN_VALUE, Long.MAX_VALUE}) {
      String name = odd == Long.MIN_VALUE ? "min" : odd == Long.MAX_VALUE ? "max" : odd < 0 ? "minus-" + -odd : "" + odd;
      golden.add("time-" + name, "one record with the timestamp " + odd, Wire.batch(List.of(row(0, odd, "k", "v")), new Wire.Shape()));
    }
    Wire.Shape appended = new Wire.Shape();
    appended.timestampType = TimestampType.LOG_APPEND_TIME;
    appended.maxTimestamp = time + 5_000;
    golden.add("log-append-time", "every record has the time of the append, whatever its delta says",
        Wire.batch(List.of(row(0, time, "a", "1"), row(1, time + 1, "b", "2")), appended));
  }

  private static void addOffsets(Golden golden) throws Exception {
    long safe = (1L << 53) - 1;
    golden.add("offsets-highest", "the last offsets that a JavaScript number can hold",
        Wire.batch(List.of(row(safe - 2, time, "a", "1"), row(safe, time, "b", "2")), new Wire.Shape()));
    golden.add("offsets-too-high", "offsets above 2^53 - 1, to be refused by name",
        Wire.batch(List.of(row(safe + 1, time, "a", "1"), row(safe + 2, time, "b", "2")), new Wire.Shape()));
  }

  private static void addHeaders(Golden golden) throws Exception {
    byte[] notUtf8 = {(byte) 0xff, 0, (byte) 0xc3, (byte) 0x28};
    Header[] odd = {
      header("b", "1"), header("a", "2"), header("b", "3"), header("10", "x"), header("2", "y"), header("__proto__", "p"),
      header("constructor", "c"), header("toString", "t"), header("", "no name"), header("null", null),
      header("empty", ""), header("žluťoučký kůň", "🐴"), Wire.header(notUtf8, notUtf8),
    };
    golden.add("headers-odd", "duplicates out of order, names of Object.prototype, empty, null, not UTF-8",
        Wire.batch(List.of(new Wire.Row(0, time, null, null, odd), row(1, time, "k", "no headers")), new Wire.Shape()));
    Header[] many = new Header[10_000];
    for (int i = 0; i < many.length; i++) many[i] = header("h" + i % 7, i % 3 == 0 ? null : "" + i);
    golden.add("headers-many", "10,000 headers on one record",
        Wire.batch(List.of(new Wire.Row(0, time, null, null, many)), new Wire.Shape().codec(Compression.of("zstd").build())));
    golden.add("nulls", "null and empty keys and values in every combination", Wire.batch(List.of(
        row(0, time, null, null), row(1, time, "", null), row(2, time, null, ""), row(3, time, "", ""), row(4, time, "k", null)),
        new Wire.Shape()));
  }

  private static void addAttributes(Golden golden) throws Exception {
    Wire.Shape idempotent = new Wire.Shape();
    idempotent.producerId = 4_294_967_297L;
    idempotent.producerEpoch = 3;
    idempotent.baseSequence = Integer.MAX_VALUE - 1;
    idempotent.leaderEpoch = 42;
    golden.add("sequence-wraps", "an idempotent batch whose sequence passes 2^31 - 1 inside it", Wire.batch(List.of(
        row(10, time, "a", "1"), row(11, time, "b", "2"), row(12, time, "c", "3"), row(13, time, "d", "4")), idempotent));
    for (ControlRecordType type : List.of(ControlRecordType.COMMIT, ControlRecordType.ABORT)) {
      MemoryRecords marker =
          MemoryRecords.withEndTransactionMarker(50, time, 5, 7, (short) 1, new EndTransactionMarker(type, 9));
      golden.add("control-" + type.name().toLowerCase(), "the end of a transaction", bytes(marker.buffer()));
    }
    golden.add("transactional", "records of a transaction, one with the key that looks like an abort marker", GoldenLogs.data(20, 7, 0, "a", "\0\0\0\0"));
  }

  private static void addCompacted(Golden golden) throws Exception {
    for (boolean isControl : new boolean[] {false, true}) {
      ByteBuffer empty = ByteBuffer.allocate(DefaultRecordBatch.RECORD_BATCH_OVERHEAD);
      DefaultRecordBatch.writeEmptyHeader(
          empty, RecordBatch.MAGIC_VALUE_V2, 7, (short) 1, 99, 1_000, 1_999, 5, TimestampType.CREATE_TIME, time, isControl, isControl);
      golden.add(isControl ? "compacted-empty-control" : "compacted-empty",
          "what compaction leaves of a batch for the producer's state: no record, but its range of offsets", empty.array());
    }
    byte[] full = build("lz4", 500, many -> {
      for (int i = 0; i < 10; i++) many.append(time + i, utf8("key " + i), i == 4 ? null : utf8("value " + i), none);
    });
    golden.add("compacted-gaps", "records 500, 504 (a tombstone, so with a delete horizon) and 507 of ten", compact(full, 0, 4, 7));
    golden.add("compacted-plain", "records 503 and 505 of ten; the range of offsets is still that of all", compact(full, 3, 5));
  }

  /** Kafka's own compaction of one batch, which keeps the records of these offset deltas. */
  private static byte[] compact(byte[] batch, int... kept) {
    var filter = new MemoryRecords.RecordFilter(time + 60_000, 86_400_000) {
      @Override
      protected BatchRetentionResult checkBatchRetention(RecordBatch any) {
        return new BatchRetentionResult(BatchRetention.RETAIN_EMPTY, false);
      }

      @Override
      protected boolean shouldRetainRecord(RecordBatch any, Record record) {
        for (int delta : kept) if (record.offset() == any.baseOffset() + delta) return true;
        return false;
      }
    };
    ByteBuffer out = ByteBuffer.allocate(64 * 1024);
    var result = MemoryRecords.readableRecords(ByteBuffer.wrap(batch)).filterTo(filter, out, BufferSupplier.NO_CACHING);
    return bytes(result.outputBuffer().flip());
  }

  private static void addOldFormats(Golden golden) throws Exception {
    for (byte magic : new byte[] {0, 1}) {
      String what = "message format " + magic + ", to be refused by name";
      golden.add("magic-" + magic + "-none", what, old(magic, "none", 3));
      golden.add("magic-" + magic + "-gzip", what, old(magic, "gzip", 3));
      // Shorter than the header of a batch of today, and yet not to be taken for one that was cut off.
      golden.add("magic-" + magic + "-one", what + ", though it is only one small message", old(magic, "none", 1));
    }
  }

  private static byte[] old(byte magic, String codec, int count) {
    MemoryRecordsBuilder builder = MemoryRecords.builder(
        ByteBuffer.allocate(1024), magic, Compression.of(codec).build(), TimestampType.CREATE_TIME, 30);
    for (int i = 0; i < count; i++) {
      builder.append(magic == 0 ? RecordBatch.NO_TIMESTAMP : time + i, utf8("k" + i), utf8("v" + i));
    }
    return bytes(builder.build().buffer());
  }

  private interface Fill {
    void into(MemoryRecordsBuilder builder);
  }

  private static byte[] build(String codec, long baseOffset, Fill fill) {
    MemoryRecordsBuilder builder = MemoryRecords.builder(
        ByteBuffer.allocate(1 << 16), Compression.of(codec).build(), TimestampType.CREATE_TIME, baseOffset);
    fill.into(builder);
    return bytes(builder.build().buffer());
  }

  private static byte[] emptyPayload(String codec) throws IOException {
    Wire.Shape shape = new Wire.Shape().codec(Compression.of(codec).build());
    shape.baseOffset = 60L;
    shape.lastOffset = 69L;
    shape.baseTimestamp = time;
    shape.maxTimestamp = time;
    return Wire.batch(List.of(), shape);
  }

  private interface Encoder {
    byte[] encode(byte[] bytes) throws IOException;
  }

  /** A codec id with an encoding of its payload that Kafka's producer would not choose. */
  private static Compression encoding(CompressionType type, Encoder encoder) {
    return new Compression() {
      @Override
      public CompressionType type() {
        return type;
      }

      @Override
      public OutputStream wrapForOutput(ByteBufferOutputStream out, byte magic) {
        return new ByteArrayOutputStream() {
          private boolean isClosed;

          @Override
          public void close() {
            if (isClosed) return;
            isClosed = true;
            try {
              out.write(encoder.encode(toByteArray()));
            } catch (IOException e) {
              throw new UncheckedIOException(e);
            }
          }
        };
      }

      @Override
      public InputStream wrapForInput(ByteBuffer buffer, byte magic, BufferSupplier buffers) {
        throw new UnsupportedOperationException();
      }
    };
  }

  static Wire.Row row(long offset, long timestamp, String key, String value) {
    return new Wire.Row(offset, timestamp, utf8(key), utf8(value), none);
  }

  static byte[] bytes(ByteBuffer buffer) {
    byte[] bytes = new byte[buffer.remaining()];
    buffer.duplicate().get(bytes);
    return bytes;
  }

  private static Header header(String name, String value) {
    return new RecordHeader(name, utf8(value));
  }

  private static byte[] utf8(String text) {
    return text == null ? null : text.getBytes(UTF_8);
  }
}
