package maxbrod;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.message.ProduceResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.MemoryRecords;
import org.apache.kafka.common.requests.AbstractResponse;
import org.apache.kafka.common.requests.ProduceRequest;
import org.apache.kafka.common.requests.ProduceResponse;
import org.apache.kafka.common.requests.RequestHeader;

/** Sends RecordBatches as they are to the leader of a partition, over a plain socket: what a producer would not build. */
final class RawProduce {
  // The last version that names topics, which spares asking for their ids.
  private static final short version = 12;
  private static final int timeoutMs = 30_000;

  /** The offset that the broker gave to the first record. */
  static String append(Map<String, Object> settings, TopicPartition partition, byte[] batches) throws Exception {
    var partitionData = new ProduceRequestData.PartitionProduceData()
        .setIndex(partition.partition())
        .setRecords(MemoryRecords.readableRecords(ByteBuffer.wrap(batches)));
    var topicData = new ProduceRequestData.TopicProduceData()
        .setName(partition.topic())
        .setPartitionData(List.of(partitionData));
    var data = new ProduceRequestData()
        .setAcks((short) -1)
        .setTimeoutMs(timeoutMs)
        .setTopicData(new ProduceRequestData.TopicProduceDataCollection(List.of(topicData).iterator()));
    RequestHeader header = new RequestHeader(ApiKeys.PRODUCE, version, "referee", 1);
    ByteBuffer request = new ProduceRequest(data, version).serializeWithHeader(header);

    // Elected is not yet leading: a broker learns of its new partitions a moment after clients do.
    long until = System.nanoTime() + timeoutMs * 1_000_000L;
    for (;;) {
      var result = send(leaderOf(settings, partition), request.duplicate(), header);
      if (result.errorCode() == 0) return Long.toString(result.baseOffset());
      Errors error = Errors.forCode(result.errorCode());
      if (error != Errors.NOT_LEADER_OR_FOLLOWER || System.nanoTime() > until) {
        throw error.exception(result.errorMessage() == null ? error.message() : result.errorMessage());
      }
      Thread.sleep(100);
    }
  }

  private static ProduceResponseData.PartitionProduceResponse send(Node leader, ByteBuffer request, RequestHeader header)
      throws Exception {
    try (Socket socket = new Socket(leader.host(), leader.port())) {
      socket.setSoTimeout(timeoutMs);
      DataOutputStream out = new DataOutputStream(socket.getOutputStream());
      out.writeInt(request.remaining());
      out.write(request.array(), request.arrayOffset() + request.position(), request.remaining());
      out.flush();
      DataInputStream in = new DataInputStream(socket.getInputStream());
      ByteBuffer answer = ByteBuffer.wrap(in.readNBytes(in.readInt()));
      ProduceResponse response = (ProduceResponse) AbstractResponse.parseResponse(answer, header);
      return response.data().responses().iterator().next().partitionResponses().get(0);
    }
  }

  private static Node leaderOf(Map<String, Object> settings, TopicPartition partition) throws Exception {
    try (Admin admin = Admin.create(settings)) {
      var topic = admin.describeTopics(List.of(partition.topic())).allTopicNames().get().get(partition.topic());
      return topic.partitions().get(partition.partition()).leader();
    }
  }
}
