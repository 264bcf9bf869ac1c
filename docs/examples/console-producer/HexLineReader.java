import java.io.BufferedReader;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.Map;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.tools.api.RecordReader;

/**
 * Lets Kafka's own console producer send Avro: its standard reader knows lines of text only, and no Avro message survives that.
 *
 * <p>A line is the key (the event's subject), a tab, and the message in hexadecimal. A line that is not of this form ends the
 * producer with an error; lines before it have been sent.
 */
public final class HexLineReader implements RecordReader {
  private String topic;
  private int number;

  @Override
  public void configure(Map<String, ?> properties) {
    topic = properties.get("topic").toString();
  }

  @Override
  public Iterator<ProducerRecord<byte[], byte[]>> readRecords(InputStream input) {
    BufferedReader lines = new BufferedReader(new InputStreamReader(input, StandardCharsets.UTF_8));
    return lines.lines().map(this::read).iterator();
  }

  private ProducerRecord<byte[], byte[]> read(String line) {
    number++;
    int tab = line.indexOf('\t');
    try {
      byte[] value = HexFormat.of().parseHex(line.substring(tab + 1));
      if (tab > 0 && value.length > 0) {
        return new ProducerRecord<>(topic, line.substring(0, tab).getBytes(StandardCharsets.UTF_8), value);
      }
    } catch (IllegalArgumentException notHexadecimal) {
      // Said below, without the line: it may hold what nobody else should read.
    }
    throw new IllegalArgumentException("line " + number + ": expected a key, a tab, and a message in hexadecimal");
  }
}
