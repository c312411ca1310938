package maxbrod;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.lang.reflect.Field;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;

/**
 * The canonical form of a record, and the rolling digests over records. test/helpers/canonical.ts computes the same.
 *
 * A record's content is: timestamp (8 bytes), key and value (length as 4 bytes, −1 for null, then the bytes), number of
 * headers (4), then name and value of each like a key. Its SHA-256 stands for the record. `content` is the SHA-256 over
 * those of all records; `digest` is the same with the offset (8 bytes) before each.
 */
final class Canon {
  private static final HexFormat hex = HexFormat.of();
  private static final Field keyBuffer = keyBufferOfHeader();

  private final MessageDigest digest = sha256();
  private final MessageDigest content = sha256();
  private final MessageDigest one = sha256();
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
  private final DataOutputStream out = new DataOutputStream(bytes);

  void add(long offset, long timestamp, byte[] key, byte[] value, Header[] headers, int headerCount) {
    try {
      out.writeLong(timestamp);
      write(key);
      write(value);
      out.writeInt(headerCount);
      for (int i = 0; i < headerCount; i++) {
        write(nameOf(headers[i]));
        write(headers[i].value());
      }
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
    byte[] record = one.digest(bytes.toByteArray());
    bytes.reset();
    content.update(record);
    digest.update(ByteBuffer.allocate(8).putLong(0, offset));
    digest.update(record);
  }

  /** The digest with offsets, of what was added so far. */
  String digest() {
    return hexOfCopy(digest);
  }

  /** The digest of contents only. */
  String content() {
    return hexOfCopy(content);
  }

  private static String hexOfCopy(MessageDigest digest) {
    try {
      return hex.formatHex(((MessageDigest) digest.clone()).digest());
    } catch (CloneNotSupportedException e) {
      throw new IllegalStateException(e);
    }
  }

  private void write(byte[] part) throws IOException {
    out.writeInt(part == null ? -1 : part.length);
    if (part != null) out.write(part);
  }

  static ObjectNode record(
      long offset, long timestamp, String timestampType, byte[] key, byte[] value, Header[] headers, int headerCount) {
    ObjectNode record = Referee.json.createObjectNode();
    record.put("offset", Long.toString(offset));
    record.put("timestamp", Long.toString(timestamp));
    record.put("timestampType", timestampType);
    record.put("key", hexOf(key));
    record.put("value", hexOf(value));
    ArrayNode list = record.putArray("headers");
    for (int i = 0; i < headerCount; i++) list.addArray().add(hexOf(nameOf(headers[i]))).add(hexOf(headers[i].value()));
    return record;
  }

  /** Short bytes in hexadecimal; long ones as `sha256:<digest>:<length>`. */
  static String hexOf(byte[] part) {
    if (part == null) return null;
    if (part.length <= 1024) return hex.formatHex(part);
    return "sha256:" + hex.formatHex(sha256().digest(part)) + ":" + part.length;
  }

  static byte[] bytesOf(JsonNode text) {
    return text == null || text.isNull() || text.isMissingNode() ? null : hex.parseHex(text.asText());
  }

  /** The bytes of a header's name as they came. Its public form is a string, in which foreign bytes are lost. */
  static byte[] nameOf(Header header) {
    try {
      if (header instanceof RecordHeader && keyBuffer.get(header) instanceof ByteBuffer raw) {
        ByteBuffer copy = raw.duplicate();
        byte[] name = new byte[copy.remaining()];
        copy.get(name);
        return name;
      }
      return header.key().getBytes(StandardCharsets.UTF_8);
    } catch (IllegalAccessException e) {
      throw new IllegalStateException(e);
    }
  }

  static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  private static Field keyBufferOfHeader() {
    try {
      Field field = RecordHeader.class.getDeclaredField("keyBuffer");
      field.setAccessible(true);
      return field;
    } catch (NoSuchFieldException e) {
      throw new IllegalStateException(e);
    }
  }
}
