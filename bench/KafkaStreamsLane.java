import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Properties;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;

/**
 * The work of {@code ours-core} in Kafka Streams: consume, decode Avro, put a keyed dossier into RocksDB with its changelog.
 * One stream thread, at-least-once, a commit every second (default: 30), caches as they come.
 *
 * <p>Arguments: bootstrap, topic, run, schema file, state directory, events, warm-up, limit in seconds.
 */
public final class KafkaStreamsLane {
    private static final int HEADER_BYTES = 10;
    private static long total;
    private static long warmUp;
    private static double limitS;
    private static long done;
    private static long[] began;

    public static void main(String[] args) throws IOException {
        Schema schema = new Schema.Parser().parse(Files.readString(Path.of(args[3])));
        total = Long.parseLong(args[5]);
        warmUp = Long.parseLong(args[6]);
        limitS = Double.parseDouble(args[7]);
        Properties config = new Properties();
        config.put(StreamsConfig.APPLICATION_ID_CONFIG, args[2]);
        config.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, args[0]);
        config.put(StreamsConfig.STATE_DIR_CONFIG, args[4]);
        config.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, 1);
        config.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 1000);
        config.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
        StreamsBuilder builder = new StreamsBuilder();
        builder.addStateStore(Stores.keyValueStoreBuilder(
                Stores.persistentKeyValueStore("dossiers"), Serdes.ByteArray(), Serdes.ByteArray()).withCachingEnabled());
        builder.stream(args[1], Consumed.with(Serdes.ByteArray(), Serdes.ByteArray()))
                .process(() -> new Put(schema), "dossiers");
        KafkaStreams streams = new KafkaStreams(builder.build(), config);
        streams.setUncaughtExceptionHandler(error -> {
            error.printStackTrace();
            Runtime.getRuntime().halt(1);
            return null;
        });
        streams.start();
    }

    private static final class Put implements Processor<byte[], byte[], Void, Void> {
        private final GenericDatumReader<GenericRecord> reader;
        private KeyValueStore<byte[], byte[]> dossiers;
        private BinaryDecoder decoder;
        private GenericRecord row;

        Put(Schema schema) {
            reader = new GenericDatumReader<>(schema);
        }

        @Override
        public void init(ProcessorContext<Void, Void> context) {
            dossiers = context.getStateStore("dossiers");
        }

        @Override
        public void process(Record<byte[], byte[]> event) {
            byte[] value = event.value();
            try {
                decoder = DecoderFactory.get().binaryDecoder(value, HEADER_BYTES, value.length - HEADER_BYTES, decoder);
                row = reader.read(row, decoder);
            } catch (IOException error) {
                throw new IllegalStateException(error);
            }
            byte[] before = dossiers.get(event.key());
            int count = 0;
            long last = 0;
            if (before != null) {
                ByteBuffer known = ByteBuffer.wrap(before);
                count = known.getInt();
                last = known.getLong();
            }
            long at = (Long) row.get("occurred_at");
            dossiers.put(event.key(), ByteBuffer.allocate(12).putInt(count + 1).putLong(Math.max(last, at)).array());
            done++;
            if (done % 100 == 0) {
                look();
            }
        }
    }

    private static void look() {
        long now = System.nanoTime();
        if (began == null) {
            if (done >= warmUp) {
                began = new long[] {done, now, cpuNs()};
            }
            return;
        }
        if (done < total && (now - began[1]) / 1e9 <= limitS) {
            return;
        }
        long events = done - began[0];
        double wall = (now - began[1]) / 1e9;
        double cpu = (cpuNs() - began[2]) / 1e9;
        System.out.printf(java.util.Locale.ROOT,
                "{\"events\": %d, \"seconds\": %.3f, \"cpu_seconds\": %.3f, \"events_per_second\": %d,"
                        + " \"events_per_cpu_second\": %d, \"peak_rss_mb\": %d}%n",
                events, wall, cpu, Math.round(events / wall), Math.round(events / cpu), peakMb());
        System.out.flush();
        Runtime.getRuntime().halt(0); // the state is thrown away: an orderly stop would only take time
    }

    private static long cpuNs() {
        return ((com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean()).getProcessCpuTime();
    }

    private static long peakMb() {
        try {
            for (String line : Files.readAllLines(Path.of("/proc/self/status"), StandardCharsets.UTF_8)) {
                if (line.startsWith("VmHWM:")) {
                    return Long.parseLong(line.replaceAll("\\D", "")) / 1024;
                }
            }
        } catch (IOException error) {
            return 0;
        }
        return 0;
    }
}
