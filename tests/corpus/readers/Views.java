import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.security.MessageDigest;
import java.util.Collections;
import java.util.HexFormat;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipInputStream;

/**
 * Prints how three readers of the JDK see the zips whose paths come on standard input: lines of reader, path, name (hex),
 * mode (octal, or -) and SHA-256 of the body, or reader, path, "!" and an error. "." ends a reader's view of a file.
 */
public class Views {
    interface Reader {
        void read(String path) throws Exception;
    }

    private static final StringBuilder OUT = new StringBuilder();

    public static void main(String[] arguments) throws Exception {
        String input = new String(System.in.readAllBytes(), StandardCharsets.UTF_8);
        for (String path : input.split("\n")) {
            view("java-zipfile", path, Views::zipFile);
            view("java-zipfs", path, Views::zipFileSystem);
            view("java-stream", path, Views::zipStream);
        }
        System.out.print(OUT);
    }

    private static void view(String reader, String path, Reader read) {
        try {
            read.read(path);
            print(reader, path, ".");
        } catch (Exception error) {
            print(reader, path, "!", String.valueOf(error).replaceAll("\\s+", " "));
        }
    }

    private static void zipFile(String path) throws Exception {
        try (ZipFile zip = new ZipFile(path)) {
            for (ZipEntry entry : Collections.list(zip.entries())) {
                try (InputStream body = zip.getInputStream(entry)) {
                    print("java-zipfile", path, hex(entry.getName()), "-", digest(body));
                }
            }
        }
    }

    private static void zipStream(String path) throws Exception {
        try (ZipInputStream zip = new ZipInputStream(Files.newInputStream(Path.of(path)))) {
            for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
                print("java-stream", path, hex(entry.getName()), "-", digest(zip));
            }
        }
    }

    private static void zipFileSystem(String path) throws Exception {
        Map<String, Object> posix = Map.of("enablePosixFileAttributes", "true");
        try (FileSystem zip = FileSystems.newFileSystem(Path.of(path), posix); Stream<Path> all = Files.walk(zip.getPath("/"))) {
            for (Path entry : (Iterable<Path>) all::iterator) {
                String name = entry.toString().substring(1);
                boolean directory = Files.isDirectory(entry);
                if (name.isEmpty()) {
                    continue;
                }
                name = directory && !name.endsWith("/") ? name + "/" : name;
                try (InputStream body = directory ? InputStream.nullInputStream() : Files.newInputStream(entry)) {
                    print("java-zipfs", path, hex(name), mode(entry), digest(body));
                }
            }
        }
    }

    /** The permissions that are stored; null where the archive has none. */
    @SuppressWarnings("unchecked")
    private static String mode(Path entry) throws IOException {
        Set<PosixFilePermission> stored = (Set<PosixFilePermission>) Files.getAttribute(entry, "zip:permissions");
        if (stored == null) {
            return "-";
        }
        int mode = 0;
        for (PosixFilePermission permission : stored) {
            mode |= 0400 >> permission.ordinal();
        }
        return Integer.toOctalString(mode);
    }

    private static String digest(InputStream body) throws Exception {
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        byte[] block = new byte[1 << 16];
        for (int size = body.read(block); size >= 0; size = body.read(block)) {
            digest.update(block, 0, size);
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    private static String hex(String name) {
        return HexFormat.of().formatHex(name.getBytes(StandardCharsets.UTF_8));
    }

    private static void print(String... fields) {
        OUT.append(String.join("\t", fields)).append('\n');
    }
}
