using System.Globalization;

namespace GpuSpectralRnn.Data;

/// <summary>
/// Drawn questions about drawn texts: who handed what to whom, where and when, each sentence in one of many forms. Beside the sentence that answers
/// there are others with the same words in other roles: one of the same people the other way round, and both with another verb.
/// What answers follows from who does what, not from which words occur, so that counting words in common does not find it.
/// </summary>
public static class GeneratedReading
{
    // Who gives (a), who receives (b), what (o), where (p), when (t).
    private const string Slots = "abopt";

    private static readonly string[] People =
    [
        "Anna", "Boris", "Clara", "David", "Elena", "Felix", "Greta", "Hugo", "Irene", "Jonas", "Karin", "Leo", "Maria", "Nils", "Olga", "Peter",
        "Rosa", "Simon", "Tessa", "Ulrich", "Vera", "Walter", "Yara", "Zoe", "Amir", "Bella", "Carlos", "Dina", "Emil", "Fatima",
    ];

    private static readonly string[] Places =
    [
        "Oslo", "Paris", "Lima", "Cairo", "Delhi", "Kyoto", "Madrid", "Quito", "Riga", "Sofia", "Tunis", "Vienna", "Warsaw", "York", "Zagreb",
        "Athens",
        "the library", "the old market", "the harbour", "the museum", "the school", "the train station", "the garden", "the town hall",
    ];

    private static readonly string[] Adjectives = ["red", "old", "small", "broken", "silver", "wooden", "blue", "heavy", "painted", "empty"];

    private static readonly string[] Things =
    [
        "lamp", "book", "bicycle", "clock", "violin", "basket", "map", "chair", "camera", "coat", "vase", "drum", "mirror", "kettle", "letter",
        "ring",
    ];

    private static readonly string[] Days = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

    private static readonly string[] Months = ["January", "March", "April", "May", "July", "August", "October", "December"];

    private static readonly Deed[] Deeds =
    [
        new("give", "gave", "given", "handed", "receive", "received", "get", "got"),
        new("sell", "sold", "sold", "sold", "buy", "bought", "buy", "bought"),
        new("lend", "lent", "lent", "lent", "borrow", "borrowed", "borrow", "borrowed"),
    ];

    /// <summary>Questions 0 to <paramref name="count"/> - 1 of a part; each depends on the seed, the part and its number alone.</summary>
    public static IReadOnlyList<ReadingQuestion> Draw(int count, ulong seed, DataPart part) =>
        [.. Enumerable.Range(0, count).Select(number => Question(number, seed, part))];

    private static ReadingQuestion Question(int number, ulong seed, DataPart part)
    {
        RandomStream random = new(seed, RandomPurpose.Reading, number, part);
        string[] people = Some(ref random, People, 4), places = Some(ref random, Places, 3);
        string[] things = Objects(ref random, 3), times = Times(ref random, 3);
        (int deed, int asked) = (random.Below(Deeds.Length), random.Below(Slots.Length));
        (string a, string b) = (people[0], people[1]);
        Deed done = Deeds[deed], other = Deeds[(deed + 1 + random.Below(Deeds.Length - 1)) % Deeds.Length];
        Event told = new(done, a, b, things[0], places[0], times[0]);

        // The other way round, with somebody or something else where the answer would stand.
        Event reversed = Slots[asked] switch
        {
            'a' => told with { Giver = b, Receiver = people[2] },
            'b' => told with { Giver = people[2], Receiver = a },
            'o' => told with { Giver = b, Receiver = a, Thing = things[1] },
            _ => told with { Giver = b, Receiver = a },
        };
        Event[] events =
        [
            told,
            reversed with { Place = places[1], Time = times[1] },
            new(
                other,
                Slots[asked] == 'a' ? people[3] : a,
                Slots[asked] == 'b' ? people[3] : b,
                Slots[asked] == 'o' ? things[2] : things[0],
                places[2],
                times[2]),
        ];
        int[] order = new int[events.Length];
        random.Permute(order);
        List<string> sentences = [];
        string answer = told.Part(Slots[asked]);
        int start = -1, length = 0;
        foreach (int place in order)
        {
            string sentence = Told(ref random, events[place], out int[] starts);
            if (place == 0) start = length + starts[asked];
            sentences.Add(sentence);
            length += sentence.Length + 1;
        }

        WordText context = WordText.Split(string.Join(' ', sentences)), question = WordText.Split(Asked(ref random, told, Slots[asked]));
        string id = string.Create(CultureInfo.InvariantCulture, $"{part.ToString().ToLowerInvariant()}-{seed}-{number}");
        return new ReadingQuestion(id, context, question, [answer], context.Touching(new(start, start + answer.Length)));
    }

    // A sentence, and where each part of the event stands in it.
    private static string Told(ref RandomStream random, Event told, out int[] starts)
    {
        Deed deed = told.Deed;
        string[] forms =
        [
            $"{{a}} {deed.Gave} the {{o}} to {{b}} {{p}} {{t}}.",
            $"{{t}}, {{a}} {deed.Gave} the {{o}} to {{b}} {{p}}.",
            $"{{b}} {deed.Received} the {{o}} from {{a}} {{p}} {{t}}.",
            $"{{p}}, {{b}} {deed.Got} the {{o}} from {{a}} {{t}}.",
            $"{{t}}, the {{o}} was {deed.Given} to {{b}} by {{a}} {{p}}.",
            $"{{p}} the {{o}} was {deed.Handed} by {{a}} to {{b}} {{t}}.",
        ];
        return Fill(forms[random.Below(forms.Length)], told, out starts);
    }

    private static string Asked(ref RandomStream random, Event told, char slot)
    {
        Deed deed = told.Deed;
        string[] forms = slot switch
        {
            'a' =>
            [
                $"Who {deed.Gave} the {{o}} to {{b}}?", $"From whom did {{b}} {deed.Get} the {{o}}?", $"By whom was the {{o}} {deed.Given} to {{b}}?",
            ],
            'b' => [$"To whom did {{a}} {deed.Give} the {{o}}?", $"Who {deed.Received} the {{o}} from {{a}}?", $"Who {deed.Got} the {{o}} from {{a}}?"],
            'o' =>
            [
                $"What did {{a}} {deed.Give} to {{b}}?", $"What did {{b}} {deed.Receive} from {{a}}?", $"What was {deed.Given} to {{b}} by {{a}}?",
            ],
            'p' => [$"Where did {{a}} {deed.Give} the {{o}} to {{b}}?", $"Where did {{b}} {deed.Get} the {{o}} from {{a}}?"],
            _ => [$"When did {{a}} {deed.Give} the {{o}} to {{b}}?", $"When did {{b}} {deed.Receive} the {{o}} from {{a}}?"],
        };
        return Fill(forms[random.Below(forms.Length)], told, out _);
    }

    private static string Fill(string form, Event told, out int[] starts)
    {
        System.Text.StringBuilder text = new();
        starts = new int[Slots.Length];
        for (int i = 0; i < form.Length; i++)
        {
            if (form[i] != '{')
            {
                text.Append(form[i]);
                continue;
            }

            char slot = form[i + 1];
            string lead = slot switch { 'p' => Lead(told.Place), 't' => Lead(told.Time), _ => "" };
            text.Append(lead);
            starts[Slots.IndexOf(slot, StringComparison.Ordinal)] = text.Length;
            text.Append(told.Part(slot));
            i += 2;
        }

        text[0] = char.ToUpperInvariant(text[0]);
        return text.ToString();
    }

    // The word that a place or a time follows.
    private static string Lead(string filler) => Days.Contains(filler) || char.IsDigit(filler[0]) && filler.Contains(' ') ? "on "
        : filler.StartsWith("the ", StringComparison.Ordinal) ? "at " : "in ";

    private static string[] Objects(ref RandomStream random, int count)
    {
        string[] adjectives = Some(ref random, Adjectives, count), things = Some(ref random, Things, count);
        string[] objects = new string[count];
        for (int i = 0; i < count; i++) objects[i] = random.Below(2) == 0 ? things[i] : $"{adjectives[i]} {things[i]}";
        return objects;
    }

    // A day, a date, a month and year, a year: all different, since what they end with is.
    private static string[] Times(ref RandomStream random, int count)
    {
        string[] days = Some(ref random, Days, count), months = Some(ref random, Months, count), times = new string[count];
        int year = 1950 + random.Below(60);
        for (int i = 0; i < count; i++)
        {
            string when = (year + i).ToString(CultureInfo.InvariantCulture);
            times[i] = random.Below(4) switch { 0 => days[i], 1 => $"{1 + random.Below(28)} {months[i]}", 2 => $"{months[i]} {when}", _ => when };
        }

        return times;
    }

    private static string[] Some(ref RandomStream random, string[] all, int count)
    {
        int[] order = new int[all.Length];
        random.Permute(order);
        return [.. order.Take(count).Select(i => all[i])];
    }

    /// <summary>How to say that something changes hands, from either side.</summary>
    private sealed record Deed(string Give, string Gave, string Given, string Handed, string Receive, string Received, string Get, string Got);

    private sealed record Event(Deed Deed, string Giver, string Receiver, string Thing, string Place, string Time)
    {
        public string Part(char slot) => slot switch { 'a' => Giver, 'b' => Receiver, 'o' => Thing, 'p' => Place, _ => Time };
    }
}
