package maxbrod;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.record.ControlRecordType;
import org.apache.kafka.common.record.MemoryRecords;
import org.apache.kafka.common.record.Record;
import org.apache.kafka.common.record.RecordBatch;

/**
 * Writes test/fixtures/batches again: `Golden <folder>`. Every file holds one or more RecordBatches, made by Kafka's own
 * classes where they can; index.json says what is in them, as *read back* by Kafka's own classes, so that a fixture is
 * right by two opinions. Nothing depends on the clock or on chance.
 *
 * Entry of the index: {file, what, batches: [{…header fields, count, content, digest, records?}], and for logs with
 * transactions: aborted: [{producerId, firstOffset}] as a broker lists them, fetchOffset, committed: [offset]}.
 */
public final class Golden {
  // Longer lists are told by their digests alone.
  private static final int listedMax = 20;

  private final Path folder;
  private final ArrayNode index = Referee.json.createArrayNode();

  private Golden(Path folder) {
    this.folder = folder;
  }

  public static void main(String[] args) throws Exception {
    Golden golden = new Golden(Path.of(args[0]));
    GoldenBatches.addTo(golden);
    GoldenLogs.addTo(golden);
    String json = Referee.json.writerWithDefaultPrettyPrinter().writeValueAsString(golden.index);
    Files.writeString(golden.folder.resolve("index.json"), json + "\n");
  }

  ObjectNode add(String name, String what, byte[]... batches) throws Exception {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    for (byte[] batch : batches) all.write(batch);
    Files.write(folder.resolve(name + ".bin"), all.toByteArray());
    ObjectNode entry = index.addObject().put("file", name + ".bin").put("what", what);
    ArrayNode list = entry.putArray("batches");
    for (RecordBatch batch : MemoryRecords.readableRecords(ByteBuffer.wrap(all.toByteArray())).batches()) {
      batch.ensureValid();
      list.add(describe(batch));
    }
    return entry;
  }

  /** For a log with transactions: what the broker would list as aborted, and the offsets a reader must see. */
  void addLog(String name, String what, long fetchOffset, List<long[]> aborted, List<Long> committed, byte[]... batches)
      throws Exception {
    ObjectNode entry = add(name, what, batches);
    entry.put("fetchOffset", Long.toString(fetchOffset));
    ArrayNode list = entry.putArray("aborted");
    for (long[] one : aborted) {
      list.addObject().put("producerId", Long.toString(one[0])).put("firstOffset", Long.toString(one[1]));
    }
    ArrayNode offsets = entry.putArray("committed");
    committed.forEach(offset -> offsets.add(Long.toString(offset)));
  }

  private static ObjectNode describe(RecordBatch batch) {
    ObjectNode entry = Referee.json.createObjectNode();
    entry.put("magic", batch.magic()).put("bytes", batch.sizeInBytes());
    entry.put("baseOffset", Long.toString(batch.baseOffset())).put("lastOffset", Long.toString(batch.lastOffset()));
    entry.put("codec", batch.compressionType().name).put("timestampType", batch.timestampType().toString());
    entry.put("maxTimestamp", Long.toString(batch.maxTimestamp()));
    entry.put("leaderEpoch", batch.partitionLeaderEpoch());
    entry.put("producerId", Long.toString(batch.producerId())).put("producerEpoch", batch.producerEpoch());
    entry.put("baseSequence", batch.baseSequence());
    entry.put("isTransactional", batch.isTransactional()).put("isControl", batch.isControlBatch());
    entry.put("deleteHorizon", batch.deleteHorizonMs().isPresent() ? Long.toString(batch.deleteHorizonMs().getAsLong()) : null);
    Canon canon = new Canon();
    ArrayNode records = Referee.json.createArrayNode();
    int count = 0;
    for (Record record : batch) {
      byte[] key = bytes(record.key());
      byte[] value = bytes(record.value());
      Header[] headers = record.headers();
      canon.add(record.offset(), record.timestamp(), key, value, headers, headers.length);
      if (count++ < listedMax && headers.length <= listedMax) {
        String type = batch.timestampType().toString();
        records.add(Canon.record(record.offset(), record.timestamp(), type, key, value, headers, headers.length));
      }
      if (batch.isControlBatch()) entry.put("control", ControlRecordType.parse(record.key()).name());
    }
    entry.put("count", count).put("content", canon.content()).put("digest", canon.digest());
    if (records.size() == count) entry.set("records", records);
    return entry;
  }

  private static byte[] bytes(ByteBuffer buffer) {
    if (buffer == null) return null;
    byte[] bytes = new byte[buffer.remaining()];
    buffer.duplicate().get(bytes);
    return bytes;
  }
}
