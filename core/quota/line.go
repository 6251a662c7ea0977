package quota

// Line is the limits on jobs at a time of a's member, its team and the bot.
func (p Policy) Line(a Asker, s AdminState) Line {
	return Line{
		MemberMax:  p.MemberLimits(a, s).JobsAtATime,
		TeamMax:    p.TeamLimits(a.Team, s).JobsAtATime,
		BotMax:     p.Bot.JobsAtATime,
		WaitingMax: p.Waiting,
	}
}
