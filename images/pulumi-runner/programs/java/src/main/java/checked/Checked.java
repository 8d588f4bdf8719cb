package checked;

import com.pulumi.Pulumi;
import com.pulumi.core.Output;

/** An output: enough to show that Java, its host and Pulumi work together without a network. */
public final class Checked {
    private Checked() {}

    public static void main(String[] args) {
        Pulumi.run(context -> context.export("version", Output.of(Runtime.version().toString())));
    }
}
