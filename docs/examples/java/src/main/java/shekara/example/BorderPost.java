package shekara.example;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Properties;
import java.util.UUID;
import java.util.concurrent.Future;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.message.BinaryMessageEncoder;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Publishes border crossings read from standard input, one a line:
 * {@code event id, number, epoch ms, entry|exit, post, document number, issuing country}, separated by commas.
 *
 * <p>Arguments: Kafka's address, the topic, the schema's file, the pseudonym key in hexadecimal, its version.
 * Prints {@code partition offset} for each line once all replicas have it.
 */
public final class BorderPost {
  private final Schema schema;
  private final BinaryMessageEncoder<GenericRecord> encoder;
  private final Mac mac;
  private final int keyVersion;

  BorderPost(Path schemaFile, byte[] key, int keyVersion) throws Exception {
    this.schema = new Schema.Parser().parse(schemaFile.toFile());
    // Avro's single-object encoding: C3 01, the schema's fingerprint, the body.
    this.encoder = new BinaryMessageEncoder<>(new GenericData(), schema);
    this.mac = Mac.getInstance("HmacSHA256");
    this.mac.init(new SecretKeySpec(key, "HmacSHA256"));
    this.keyVersion = keyVersion;
  }

  /** The pseudonym of a document's holder (docs/adr/0012): the number itself never leaves this machine. */
  String pseudonym(String issuingCountry, String documentNumber) {
    String number = documentNumber.toUpperCase().replaceAll("[ \\-./\u00a0]", "");
    byte[] message = ("document\u001f" + issuingCountry + "\u001f" + number).getBytes(StandardCharsets.UTF_8);
    return "p" + keyVersion + "-" + HexFormat.of().formatHex(mac.doFinal(message)).substring(0, 32);
  }

  GenericRecord crossing(String line) {
    String[] cell = line.split(",", -1);
    GenericRecord record = new GenericData.Record(schema);
    record.put("event_id", fixed("event_id", UUID.fromString(cell[0])));
    record.put("subject", pseudonym(cell[6], cell[5]));
    record.put("occurred_at", Long.parseLong(cell[2]));
    record.put("recorded_at", Long.parseLong(cell[2]));
    record.put("source", "post:" + cell[4]);
    record.put("source_seq", Long.parseLong(cell[1]));
    record.put("direction", symbol("direction", cell[3]));
    record.put("post", cell[4]);
    record.put("citizenship", cell[6]);
    record.put("purpose", symbol("purpose", "tourism"));
    record.put("document", symbol("document", "passport"));
    record.put("transport", symbol("transport", "road"));
    return record; // visa_id and refusal_reason stay null
  }

  byte[] encode(GenericRecord record) throws IOException {
    ByteBuffer buffer = encoder.encode(record);
    byte[] bytes = new byte[buffer.remaining()];
    buffer.get(bytes);
    return bytes;
  }

  private GenericData.Fixed fixed(String field, UUID id) {
    ByteBuffer bytes = ByteBuffer.allocate(16).putLong(id.getMostSignificantBits()).putLong(id.getLeastSignificantBits());
    return new GenericData.Fixed(schema.getField(field).schema(), bytes.array());
  }

  private GenericData.EnumSymbol symbol(String field, String value) {
    return new GenericData.EnumSymbol(schema.getField(field).schema(), value);
  }

  public static void main(String[] args) throws Exception {
    BorderPost post = new BorderPost(Path.of(args[2]), HexFormat.of().parseHex(args[3]), Integer.parseInt(args[4]));
    Properties settings = new Properties();
    settings.put(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, args[0]);
    settings.put(ProducerConfig.ACKS_CONFIG, "all");
    settings.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, "true");
    settings.put(ProducerConfig.COMPRESSION_TYPE_CONFIG, "lz4");
    settings.put(ProducerConfig.LINGER_MS_CONFIG, "20");
    BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    try (KafkaProducer<byte[], byte[]> producer =
        new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer())) {
      List<Future<RecordMetadata>> sent = new ArrayList<>();
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        GenericRecord record = post.crossing(line);
        // The key is the subject: all facts about one person lie in one partition, in order.
        byte[] key = record.get("subject").toString().getBytes(StandardCharsets.UTF_8);
        sent.add(producer.send(new ProducerRecord<>(args[1], key, post.encode(record))));
      }
      for (Future<RecordMetadata> one : sent) {
        RecordMetadata where = one.get(); // an error ends the program: nothing is lost in silence
        System.out.println(where.partition() + " " + where.offset());
      }
    }
  }
}
