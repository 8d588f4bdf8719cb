package dev.kiln.examples;

import com.pulumi.Pulumi;
import com.pulumi.core.Output;
import java.util.List;
import java.util.Map;

/** Outputs of every type of JSON. */
public final class Echo {
  private Echo() {}

  public static void main(String[] arguments) {
    Pulumi.run(
        context -> {
          var config = context.config();
          context.export("text", Output.of(config.get("text").orElse("text with \"quotes\", ünïcode and\nlines")));
          context.export("integer", Output.of(123456789012.0));
          context.export("fraction", Output.of(0.125));
          context.export("flag", Output.of(true));
          context.export("list", Output.of(List.of(1, "two", List.of(3))));
          context.export("object", Output.of(Map.of("nested", Map.of())));
          context.export("secret", Output.ofSecret("a secret by default"));
        });
  }
}
