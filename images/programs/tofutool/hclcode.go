package tofutool

import "strings"

// codeOf is HCL without its comments and heredocs, and with nothing in quotes but what may be the label of a block. Lines stay lines.
func codeOf(text string) string {
	var out strings.Builder
	reader := hclReader{text}
	reader.code(&out, false)
	return out.String()
}

// hclReader has what is not read yet.
type hclReader struct{ rest string }

// code reads to the end, or to the brace that closes a template.
func (r *hclReader) code(out *strings.Builder, inTemplate bool) {
	for depth := 0; r.rest != ""; {
		switch {
		case r.starts("#"), r.starts("//"):
			r.skip(len(r.before("\n")))
		case r.starts("/*"):
			comment := r.before("*/")
			out.WriteString(" " + strings.Repeat("\n", strings.Count(comment, "\n")))
			r.skip(len(comment) + len("*/"))
		case r.starts("<<"):
			r.heredoc(out)
		case r.starts(`"`):
			r.quoted(out)
		default:
			if r.starts("{") {
				depth++
			}
			if r.starts("}") {
				depth--
			}
			if inTemplate && depth < 0 {
				return
			}
			out.WriteByte(r.rest[0])
			r.skip(1)
		}
	}
}

// quoted reads a text in quotes, which may hold templates, and these texts in turn.
func (r *hclReader) quoted(out *strings.Builder) {
	var label, ignored strings.Builder
	r.skip(1)
	for r.rest != "" && !r.starts(`"`) && !r.starts("\n") {
		switch {
		case r.starts(`\`):
			label.WriteByte(' ') // no label has one
			r.skip(2)
		case r.starts("$${"), r.starts("%%{"):
			r.skip(3)
		case r.starts("${"), r.starts("%{"):
			label.WriteByte(' ')
			r.skip(2)
			r.code(&ignored, true)
			r.skip(1)
		default:
			label.WriteByte(r.rest[0])
			r.skip(1)
		}
	}
	if r.starts(`"`) {
		r.skip(1)
	}
	out.WriteByte('"')
	if !strings.ContainsAny(label.String(), " {}") {
		out.WriteString(label.String())
	}
	out.WriteByte('"')
}

// heredoc reads <<NAME or <<-NAME, to the line that is NAME.
func (r *hclReader) heredoc(out *strings.Builder) {
	r.skip(len("<<"))
	line := r.before("\n")
	name := strings.TrimSpace(strings.TrimPrefix(line, "-"))
	for more := true; more; more = r.rest != "" && strings.TrimSpace(line) != name {
		r.skip(len(line) + len("\n"))
		line = r.before("\n")
	}
	r.skip(len(line))
	out.WriteByte('\n')
}

func (r *hclReader) starts(mark string) bool { return strings.HasPrefix(r.rest, mark) }

// before is what stands before a mark, or all that is left where there is none.
func (r *hclReader) before(mark string) string {
	text, _, _ := strings.Cut(r.rest, mark)
	return text
}

func (r *hclReader) skip(length int) { r.rest = r.rest[min(length, len(r.rest)):] }
